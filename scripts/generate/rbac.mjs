/**
 * The default roles and bindings of RBAC, as one table. Input: ../shared/facts/rbac-bootstrap.
 * usage: node scripts/generate/rbac.mjs
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const facts = join(root, "..", "shared", "facts", "rbac-bootstrap");
if (!existsSync(facts)) {
  console.log("generate: ../shared/facts/rbac-bootstrap is absent; the committed table stays");
  process.exit(0);
}

const items = (name) => parse(readFileSync(join(facts, `${name}.yaml`), "utf8")).items;
/** Without what every object of its list has in common. */
const bare = ({ apiVersion: _version, kind: _kind, ...rest }) => rest;
const table = {
  clusterRoles: [...items("cluster-roles"), ...items("controller-roles")].map(bare),
  clusterRoleBindings: [
    ...items("cluster-role-bindings"),
    ...items("controller-role-bindings"),
  ].map(bare),
  roles: items("namespace-roles").map(bare),
  roleBindings: items("namespace-role-bindings").map(bare),
};
const lines = Object.entries(table).map(
  ([key, list]) =>
    `${JSON.stringify(key)}: [\n${list.map((one) => JSON.stringify(one)).join(",\n")}\n]`,
);
const path = join(root, "src", "registry", "rbac", "bootstrap.generated.json");
writeFileSync(path, `{\n${lines.join(",\n")}\n}\n`);
console.log(`generate: ${path.slice(root.length + 1)}`);
