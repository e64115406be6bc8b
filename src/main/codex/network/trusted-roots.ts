/** The certificate authorities that Codex trusts on this machine, as far as this process can read them. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as tls from "node:tls";

/** A variable that names a file without a certificate in it. */
export interface CertificateFileFault {
  readonly variable: string;
  readonly problem: "unreadable" | "no_certificate";
}

export interface TrustedRoots {
  /** In PEM. Null if the system keeps its authorities where this version of Node cannot read them. */
  readonly certificates: readonly string[] | null;
  /** Of the file that Codex takes. */
  readonly fault: CertificateFileFault | null;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** In the order in which Codex looks. It does not read `NODE_EXTRA_CA_CERTS`. */
const fileVariables = ["CODEX_CA_CERTIFICATE", "SSL_CERT_FILE"] as const;
/** Where Linux distributions keep their bundle. */
const systemBundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
] as const;
/** Bundles have some 150 certificates. */
const maxCertificates = 2_000;
const certificate =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]+?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/** Trusts rather too much than too little: what Codex's clients trust between them, and the authorities of Node. */
export async function readTrustedRoots(env: Variables): Promise<TrustedRoots> {
  const files = await readNamedFiles(env);
  const system = await readSystemRoots();
  if (system === null) return { certificates: null, fault: files.fault };
  const directories = (env.SSL_CERT_DIR ?? "").split(":").filter((path) => path !== "");
  const inDirectories = await Promise.all(directories.map(readDirectory));
  return {
    certificates: [...tls.rootCertificates, ...system, ...files.certificates, ...inDirectories.flat()],
    fault: files.fault,
  };
}

/** Codex adds the first file to the system's authorities, and sends no request if it cannot. */
export async function findCertificateFileFault(env: Variables): Promise<CertificateFileFault | null> {
  return (await readNamedFiles(env)).fault;
}

async function readNamedFiles(env: Variables) {
  const certificates: string[] = [];
  let fault: CertificateFileFault | null = null;
  const given = fileVariables.flatMap((variable) => {
    const path = env[variable] ?? "";
    return path === "" ? [] : [{ variable, path }];
  });
  for (const [index, { variable, path }] of given.entries()) {
    const text = await readFile(path, "utf8").catch(() => null);
    const found = text === null ? [] : findCertificates(text);
    if (found.length === 0 && index === 0)
      fault = { variable, problem: text === null ? "unreadable" : "no_certificate" };
    certificates.push(...found);
  }
  return { certificates, fault };
}

async function readSystemRoots(): Promise<readonly string[] | null> {
  // Since Node 22.15.
  if ("getCACertificates" in tls && typeof tls.getCACertificates === "function") {
    const found: unknown = tls.getCACertificates("system");
    if (Array.isArray(found)) return found.filter((entry) => typeof entry === "string");
  }
  if (process.platform !== "linux") return null;
  for (const path of systemBundles) {
    const text = await readFile(path, "utf8").catch(() => null);
    if (text !== null) return findCertificates(text);
  }
  return [];
}

async function readDirectory(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch(() => []);
  const found: string[] = [];
  for (const name of names) {
    if (found.length >= maxCertificates) break;
    const text = await readFile(join(directory, name), "utf8").catch(() => "");
    found.push(...findCertificates(text));
  }
  return found;
}

function findCertificates(text: string): readonly string[] {
  return (text.match(certificate) ?? [])
    .slice(0, maxCertificates)
    .map((pem) => pem.replace(/(BEGIN|END) (?:TRUSTED|X509) /g, "$1 "));
}
