/** Discovery that knows every definition written before the request came. */
import { notFoundText, type PathRoutes } from "../endpoints/routes.ts";
import type { CustomResources } from "./custom-resources.ts";

/** `paths` below `root`, which are looked up once the definitions are up to date. */
export function freshPaths<T extends PathRoutes>(
  root: string,
  paths: T,
  customs: CustomResources,
): T {
  const lookup: PathRoutes["lookup"] = (path) => {
    if (path !== root && !path.startsWith(`${root}/`)) return paths.lookup(path);
    return async (request) => {
      await customs.upToDate();
      return (paths.lookup(path) ?? notFoundText)(request);
    };
  };
  return { ...paths, lookup };
}
