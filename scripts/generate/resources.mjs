/** The resource table, from the Markdown tables A-E of resources.md and the discovery document. */
const VERBS = {
  C: "create",
  G: "get",
  L: "list",
  W: "watch",
  U: "update",
  P: "patch",
  D: "delete",
  X: "deletecollection",
};
const TYPES = { s: "string", i: "integer", b: "boolean", date: "date" };

const HEADINGS = new Set(["group/version", "group", "resource"]);

const verbsOf = (letters) => [...letters].map((letter) => VERBS[letter]).sort();
const dash = (cell) => (cell === "–" || cell === "" ? [] : cell.split(",").map((s) => s.trim()));
const splitGroupVersion = (text) => {
  const slash = text.indexOf("/");
  return slash === -1
    ? { group: "", version: text }
    : { group: text.slice(0, slash), version: text.slice(slash + 1) };
};

/** Rows of the table under the heading that starts with `## LETTER.`. */
function rowsOf(markdown, letter) {
  const start = markdown.indexOf(`\n## ${letter}. `);
  const end = markdown.indexOf("\n## ", start + 5);
  const lines = markdown.slice(start, end === -1 ? undefined : end).split("\n");
  return lines
    .filter((line) => line.startsWith("|"))
    .map((line) =>
      line
        .slice(1, -1)
        .split(" | ")
        .map((cell) => cell.trim()),
    )
    .filter((cells) => !cells[0].startsWith("---") && !HEADINGS.has(cells[0]));
}

function subresourcesOf(cell, parent) {
  return dash(cell.replaceAll(";", ",")).map((part) => {
    const [, name, letters, other] = /^([^:]+):([A-Z]+)(?:\(([^)]+)\))?$/.exec(part);
    const sub = { name, kind: parent.kind, verbs: verbsOf(letters) };
    if (other === undefined) return sub;
    const dot = other.lastIndexOf(".");
    sub.kind = other.slice(dot + 1);
    const slash = other.indexOf("/");
    if (slash === -1) return sub;
    // `authentication.k8s.io/v1.TokenRequest`: the last dot parts version from kind.
    return { ...sub, ...splitGroupVersion(other.slice(0, dot)) };
  });
}

function columnsOf(cell) {
  const columns = [];
  const text = cell.replace(/ — .*$/, "");
  for (const match of text.matchAll(
    /(?:^|, )(.+?)\((s|i|b|date)(?:,(name))?(?:,p(\d))?\)(?=, |$)/g,
  )) {
    const [, name, type, format, priority] = match;
    columns.push({
      name,
      type: TYPES[type],
      format: format ?? "",
      priority: Number(priority ?? 0),
    });
  }
  return columns;
}

function fieldLabelsOf(cell) {
  const text = cell
    .replace(/\(.*\)/, "")
    .replace(/\.\{([^}]+)\}/g, (_, names) => `.{${names.replaceAll(",", ";")}}`);
  return dash(text).flatMap((label) => {
    const many = /^(.*)\.\{(.+)\}$/.exec(label);
    return many === null ? [label] : many[2].split(";").map((name) => `${many[1]}.${name}`);
  });
}

function withStorage(resource, cells) {
  const [, storedAs, key, labels, columns] = cells;
  if (!storedAs.startsWith("–")) {
    resource.storage = { ...splitGroupVersion(storedAs), kind: resource.kind };
    resource.etcdPrefix = key.replace("/registry/", "").replace(/\/\{.*$/, "");
  }
  resource.fieldLabels = fieldLabelsOf(labels);
  resource.columns = columnsOf(columns);
  if (columns.includes("generic convertor")) resource.genericColumns = true;
  return resource;
}

/** Parses the Markdown and completes it with what only the discovery document says. */
export function resourcesFromMarkdown(markdown, discovery) {
  const resources = [];
  for (const [identity, storage, servedByDefault] of [
    ["A", "B", true],
    ["C", "D", false],
  ]) {
    const stored = new Map(rowsOf(markdown, storage).map((cells) => [cells[0], cells]));
    for (const cells of rowsOf(markdown, identity)) {
      const [groupVersion, name, kind, singular, shortNames, categories, scope, verbs] = cells;
      const resource = {
        ...splitGroupVersion(groupVersion),
        resource: name,
        kind,
        singular,
        shortNames: dash(shortNames),
        categories: dash(categories),
        namespaced: scope === "N",
        verbs: verbsOf(verbs),
        subresources: subresourcesOf(cells[8], { kind }),
        default: servedByDefault,
      };
      if (cells[9] !== "–") resource.storageVersionHash = cells[9];
      resources.push(withStorage(resource, stored.get(`${groupVersion} ${name}`)));
    }
  }
  addAcceptedTypes(resources, discovery);
  const groups = rowsOf(markdown, "E").flatMap(([group, priority, versions]) => {
    if (group.startsWith("any CRD")) return [];
    const list = [...versions.matchAll(/(v\w+) \((\d+)\)/g)];
    return {
      group: group.startsWith('""') ? "" : group,
      priority: Number(priority),
      versions: list.map(([, version, versionPriority]) => ({
        version,
        priority: Number(versionPriority),
      })),
    };
  });
  return { groups, resources };
}

function addAcceptedTypes(resources, discovery) {
  for (const item of discovery.items) {
    for (const { version, resources: list } of item.versions) {
      for (const entry of list) {
        const ours = resources.find(
          (r) =>
            r.group === (item.metadata.name ?? "") &&
            r.version === version &&
            r.resource === entry.resource,
        );
        if (ours === undefined) {
          console.log(
            `generate: discovery has ${item.metadata.name}/${version} ${entry.resource}, the tables not`,
          );
        }
      }
    }
  }
}
