/** Reads the links of Markdown files and the anchors that their headings make. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const notOurs: ReadonlySet<string> = new Set(["node_modules", "build", "dist", ".git", ".tap"]);

/** Every Markdown file of the repository, by its path from the root. */
export function listMarkdownFiles(folder = "."): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return notOurs.has(entry.name) ? [] : listMarkdownFiles(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
}

/** Links within the repository that lead nowhere, as `page -> target`. */
export function findBrokenLinks(pages: readonly string[]): readonly string[] {
  const anchors = new Map(pages.map((page) => [page, listAnchors(readFileSync(page, "utf8"))]));
  return pages.flatMap((page) =>
    listLinks(readFileSync(page, "utf8")).flatMap((link) => {
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? page : join(page, "..", path);
      if (!existsSync(target)) return [`${page} -> ${link}`];
      if (anchor === undefined) return [];
      const isThere = !statSync(target).isDirectory() && anchors.get(target)?.has(anchor) === true;
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
