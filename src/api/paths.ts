import type { FastifyInstance } from "fastify";

/** What a server has at a path, for calls that come with another method. */
export interface Paths {
  /** The methods that there are at this path, in their order by letter; none where there is nothing. */
  methodsAt(url: string): string[];
}

/** Hears of every route that is added from now on. */
export function collectPaths(app: FastifyInstance): Paths {
  const routes: { readonly parts: readonly string[]; readonly methods: readonly string[] }[] = [];
  app.addHook("onRoute", ({ url, method }) => {
    routes.push({ parts: url.split("/"), methods: [method].flat() });
  });
  return {
    methodsAt(url) {
      const parts = (url.split("?")[0] ?? "").split("/");
      const found = routes.filter(
        (route) =>
          route.parts.length === parts.length &&
          route.parts.every((part, i) => (part.startsWith(":") ? parts[i] : part === parts[i])),
      );
      return [...new Set(found.flatMap(({ methods }) => methods))].sort();
    },
  };
}
