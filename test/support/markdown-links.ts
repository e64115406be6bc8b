/** Reads the links of Markdown files and the anchors that their headings make. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Every Markdown file of a repository that git does not ignore, by its path from the root: what tools write is no document. */
export function listMarkdownFiles(root = "."): readonly string[] {
  const ignored = readIgnorePatterns(root);
  const list = (folder: string): readonly string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.name === ".git" || ignored.some((pattern) => pattern.test(path))) return [];
      if (entry.isDirectory()) return list(path);
      return entry.name.endsWith(".md") ? [path] : [];
    });
  return list(".");
}

/** Read here and not by git, which a downloaded copy of the sources has no repository for. */
function readIgnorePatterns(root: string): readonly RegExp[] {
  return readFileSync(join(root, ".gitignore"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const path = line.replace(/^\/|\/$/g, "");
      // A pattern without a slash inside is one of names, wherever they are.
      const start = line.slice(0, -1).includes("/") ? "^" : "(^|/)";
      const glob = path.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^/]*");
      return new RegExp(`${start}${glob}(/|$)`);
    });
}

/** Links within the repository, or another folder of pages, that lead nowhere, as `page -> target`. */
export function findBrokenLinks(pages: readonly string[], root = "."): readonly string[] {
  const read = (page: string) => readFileSync(join(root, page), "utf8");
  const anchors = new Map(pages.map((page) => [page, listAnchors(read(page))]));
  return pages.flatMap((page) =>
    listLinks(read(page)).flatMap((link) => {
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? page : join(page, "..", path);
      if (!existsSync(join(root, target))) return [`${page} -> ${link}`];
      if (anchor === undefined) return [];
      const isThere =
        !statSync(join(root, target)).isDirectory() && anchors.get(target)?.has(anchor) === true;
      return isThere ? [] : [`${page} -> ${link}`];
    }),
  );
}

function listLinks(text: string): readonly string[] {
  return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)]
    .flatMap(([, target]) => target ?? [])
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** As GitHub makes them: the second heading of a name gets `-1`. */
function listAnchors(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of withoutBlocks(text).matchAll(/^#{1,6} (.+)$/gm)) {
    const name = heading
      .trim()
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-");
    let anchor = name;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${name}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

function withoutBlocks(text: string): string {
  return text.replace(/^```.*?^```$/gms, "");
}

function withoutCode(text: string): string {
  return withoutBlocks(text).replace(/`[^`\n]*`/g, "");
}
