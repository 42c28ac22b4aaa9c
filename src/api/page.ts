import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { packageRoot } from "../package-root";

interface PageFile {
  readonly path: string;
  readonly type: string;
  readonly content: string;
}

let files: readonly PageFile[] | undefined;

/** The page, bundled from its sources when the server starts: there is no build step to forget. */
export function pageFiles(): readonly PageFile[] {
  return (files ??= bundle());
}

function bundle(): PageFile[] {
  const folder = join(packageRoot(), "src/page");
  const { outputFiles } = buildSync({
    entryPoints: [join(folder, "main.tsx")],
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    logLevel: "silent",
  });
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  return [
    { path: "/", type: "text/html; charset=utf-8", content: read("index.html") },
    { path: "/page.css", type: "text/css; charset=utf-8", content: read("page.css") },
    {
      path: "/page.js",
      type: "text/javascript; charset=utf-8",
      content: outputFiles[0]?.text ?? "",
    },
  ];
}
