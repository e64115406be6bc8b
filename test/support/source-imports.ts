/** Reads what the sources import and which globals they touch, with the TypeScript compiler's own parser. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import ts from "typescript";

export interface SourceImport {
  /** Path of the importing file from the repository's root. */
  readonly from: string;
  /** The same for the imported one, or a package's name (`zod`, `node:fs`). */
  readonly to: string;
  readonly isLocal: boolean;
  /** Vanishes when compiled. */
  readonly isTypeOnly: boolean;
  readonly line: number;
}

export interface SourceFile {
  readonly path: string;
  readonly imports: readonly SourceImport[];
  /** `process.exit`, `console.log` and the like, as written. */
  readonly globalUses: readonly { readonly text: string; readonly line: number }[];
}

/** Every TypeScript file under `folder`, which is relative to the working directory. */
export function readSources(folder: string): readonly SourceFile[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const paths = names
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name).replaceAll("\\", "/"));
  return paths.sort().map((path) => parseSource(path, readFileSync(path, "utf8")));
}

export function parseSource(path: string, text: string): SourceFile {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports: SourceImport[] = [];
  const globalUses: { text: string; line: number }[] = [];
  const lineOf = (node: ts.Node): number => file.getLineAndCharacterOfPosition(node.getStart()).line + 1;
  const visit = (node: ts.Node): void => {
    const specifier = findSpecifier(node);
    if (specifier !== null) {
      imports.push({
        ...resolveSpecifier(path, specifier),
        isTypeOnly: isTypeOnly(node),
        from: path,
        line: lineOf(node),
      });
    }
    if (ts.isPropertyAccessExpression(node) && isWatchedGlobal(node.expression)) {
      globalUses.push({ text: `${node.expression.getText()}.${node.name.text}`, line: lineOf(node) });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { path, imports, globalUses };
}

/** `import`, `export … from`, `import()` and `import("…").Type`. A worker named by URL is no import, on purpose. */
function findSpecifier(node: ts.Node): string | null {
  if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier !== undefined) {
    return readLiteral(node.moduleSpecifier);
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return readLiteral(node.arguments[0]);
  }
  return ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
    ? readLiteral(node.argument.literal)
    : null;
}

function readLiteral(node: ts.Node | undefined): string | null {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : null;
}

function isTypeOnly(node: ts.Node): boolean {
  if (ts.isImportDeclaration(node))
    return node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword || hasOnlyTypes(node);
  return ts.isImportTypeNode(node) || (ts.isExportDeclaration(node) && node.isTypeOnly);
}

function hasOnlyTypes({ importClause }: ts.ImportDeclaration): boolean {
  const bindings = importClause?.namedBindings;
  if (importClause?.name !== undefined || bindings === undefined || !ts.isNamedImports(bindings))
    return false;
  return bindings.elements.length > 0 && bindings.elements.every((element) => element.isTypeOnly);
}

function resolveSpecifier(from: string, specifier: string): Pick<SourceImport, "to" | "isLocal"> {
  if (specifier.startsWith(".")) {
    const to = posix.join(posix.dirname(from), specifier).replace(/\.js$/, ".ts");
    return { to: existsSync(`${to}x`) ? `${to}x` : to, isLocal: true };
  }
  const depth = specifier.startsWith("@") ? 2 : 1;
  const name = specifier.startsWith("node:") ? specifier : specifier.split("/").slice(0, depth).join("/");
  return { to: name, isLocal: false };
}

function isWatchedGlobal(node: ts.Expression): boolean {
  return ts.isIdentifier(node) && (node.text === "process" || node.text === "console");
}
