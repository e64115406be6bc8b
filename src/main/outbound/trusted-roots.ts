/** The certificate authorities that Codex and the side-task router trust on this machine, as far as this process can read them. */
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
/** `openssl rehash` gives such names. Codex finds authorities by no others in its plain requests; over WebSockets it reads every file. */
const byHash = /^[0-9a-f]{8}\.\d+$/;
/** Bundles have some 150 certificates. */
const maxCertificates = 2_000;
const certificate =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]+?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/** Trusts rather too much than too little: what Codex's clients trust between them, and the authorities of Node. */
export async function readTrustedRoots(env: Variables): Promise<TrustedRoots> {
  const files = await readNamedFiles(env, fileVariables);
  const { fault } = files;
  const system = await readSystemRoots();
  if (system === null) return { certificates: null, fault };
  const inDirectories = await readDirectories(env, byHash);
  return {
    certificates: [...tls.rootCertificates, ...system, ...files.certificates, ...inDirectories],
    fault,
  };
}

/**
 * What Node trusts by itself, and all that the variables name. `certificates` is null where they name none, which leaves Node to its own.
 * `fault` is that of the first file that is none.
 */
export async function readNodeRoots(env: Variables): Promise<TrustedRoots> {
  const { certificates, faults } = await readNamedFiles(env, [...fileVariables, "NODE_EXTRA_CA_CERTS"]);
  const named = [...certificates, ...(await readDirectories(env, /./))];
  const fault = faults[0] ?? null;
  return { certificates: named.length === 0 ? null : [...new Set([...nodeRoots(), ...named])], fault };
}

/** Since Node 22.15 with those of `NODE_EXTRA_CA_CERTS` and of the system, as the process was started. */
function nodeRoots(): readonly string[] {
  return readFromNode("default") ?? tls.rootCertificates;
}

/** Codex adds the first file to the system's authorities, and sends no request if it cannot. */
export async function findCertificateFileFault(env: Variables): Promise<CertificateFileFault | null> {
  return (await readNamedFiles(env, fileVariables)).fault;
}

async function readNamedFiles(env: Variables, variables: readonly string[]) {
  const certificates: string[] = [];
  const faults: CertificateFileFault[] = [];
  const given = variables.flatMap((variable) => {
    const path = env[variable] ?? "";
    return path === "" ? [] : [{ variable, path }];
  });
  for (const { variable, path } of given) {
    const text = await readFile(path, "utf8").catch(() => null);
    const found = text === null ? [] : findCertificates(text);
    if (found.length === 0)
      faults.push({ variable, problem: text === null ? "unreadable" : "no_certificate" });
    certificates.push(...found);
  }
  // Codex takes the first that is given.
  const fault = faults.find(({ variable }) => variable === given[0]?.variable) ?? null;
  return { certificates, faults, fault };
}

function readFromNode(kind: "system" | "default"): readonly string[] | null {
  // Since Node 22.15.
  if (!("getCACertificates" in tls) || typeof tls.getCACertificates !== "function") return null;
  const found: unknown = tls.getCACertificates(kind);
  return Array.isArray(found) ? found.filter((entry) => typeof entry === "string") : null;
}

async function readSystemRoots(): Promise<readonly string[] | null> {
  const known = readFromNode("system");
  if (known !== null) return known;
  if (process.platform !== "linux") return null;
  for (const path of systemBundles) {
    const text = await readFile(path, "utf8").catch(() => null);
    if (text !== null) return findCertificates(text);
  }
  return [];
}

async function readDirectories(
  { SSL_CERT_DIR: given = "" }: Variables,
  names: RegExp,
): Promise<readonly string[]> {
  const directories = given.split(":").filter((path) => path !== "");
  return (await Promise.all(directories.map((directory) => readDirectory(directory, names)))).flat();
}

async function readDirectory(directory: string, pattern: RegExp): Promise<readonly string[]> {
  const names = await readdir(directory).catch(() => []);
  const found: string[] = [];
  for (const name of names.filter((name) => pattern.test(name))) {
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
