/**
 * The printer columns of each resource with the descriptions that clients see, from recorded Table
 * answers. Where no answer was recorded the column keeps an empty description. Columns that carry
 * the text of a metadata field are shared, so the file names each text once.
 */
import { readFileSync } from "node:fs";

const key = (resource) => `${resource.group}/${resource.version}/${resource.resource}`;

function resourceOfPath(path, resources) {
  const parts = path
    .split("?")[0]
    .split("/")
    .filter((part) => part !== "");
  const core = parts[0] === "api";
  const [group, version, rest] = core
    ? ["", parts[1], parts.slice(2)]
    : [parts[1], parts[2], parts.slice(3)];
  const name = rest[0] === "namespaces" && rest.length > 2 ? rest[2] : rest[0];
  return resources.find((r) => r.group === group && r.version === version && r.resource === name);
}

/** Reads recorded exchanges; `resources` is completed with the columns' descriptions. */
export function columnsFromGolden({ resources }, files) {
  const texts = [];
  const indexOf = (text) => {
    const found = texts.indexOf(text);
    return found === -1 ? texts.push(text) - 1 : found;
  };
  const columns = {};
  for (const file of files) {
    for (const line of readFileSync(file, "utf8").split("\n")) {
      if (!line.includes('"columnDefinitions"')) continue;
      const exchange = JSON.parse(line);
      const body = exchange.answer.body;
      if (body?.kind !== "Table" || !Array.isArray(body.columnDefinitions)) continue;
      const resource = resourceOfPath(exchange.path, resources);
      if (resource === undefined || columns[key(resource)] !== undefined) continue;
      columns[key(resource)] = body.columnDefinitions.map((c) => [
        c.name,
        c.type,
        c.format,
        c.priority,
        indexOf(c.description),
      ]);
    }
  }
  return { texts, columns };
}
