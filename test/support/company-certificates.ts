/**
 * A certificate authority as a company's proxy has one, and what it signed for `backend.invalid`, `localhost` and 127.0.0.1. Made once
 * with openssl, valid for a hundred years; the authority's own key was thrown away.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeTemporaryDirectory } from "./temporary-directory.js";

interface WithTeardown {
  teardown(end: () => unknown): unknown;
}

/** Writes the authority's certificate as a PEM file, and returns its path. */
export async function writeCompanyAuthority(t: WithTeardown): Promise<string> {
  const path = join(await makeTemporaryDirectory(t), "company-ca.pem");
  await writeFile(path, companyAuthority);
  return path;
}

/** Writes it into a directory as `openssl rehash` does, or under another name, and returns the directory's path. */
export async function writeCompanyDirectory(t: WithTeardown, name = `${subjectHash}.0`): Promise<string> {
  const directory = await makeTemporaryDirectory(t);
  await writeFile(join(directory, name), companyAuthority);
  return directory;
}

/** Of the authority: `openssl x509 -hash`. */
const subjectHash = "6317ff08";

export const companyAuthority = `\
-----BEGIN CERTIFICATE-----
MIIB3zCCAYWgAwIBAgIUMs8Wb25QGx5fhbQthoWzVq2mVhQwCgYIKoZIzj0EAwIw
PDEfMB0GA1UECgwWQ29kZXggTmF0aXZlIEFQSSB0ZXN0czEZMBcGA1UEAwwQQ29t
cGFueSBwcm94eSBDQTAgFw0yNjExMjkyMjIxMTJaGA8yMTI2MTEwNTIyMjExMlow
PDEfMB0GA1UECgwWQ29kZXggTmF0aXZlIEFQSSB0ZXN0czEZMBcGA1UEAwwQQ29t
cGFueSBwcm94eSBDQTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABLVEafWL04ST
laSRWqls19/zPBs1wgibsdF39x7+j41/+Ovjd4eWYurOGrFtB8Lm83XeBrvdjgnq
y9BRpb0tOMmjYzBhMB0GA1UdDgQWBBROHcaa2yA6CrEpjh+KuwYSBOElvjAfBgNV
HSMEGDAWgBROHcaa2yA6CrEpjh+KuwYSBOElvjAPBgNVHRMBAf8EBTADAQH/MA4G
A1UdDwEB/wQEAwIBBjAKBggqhkjOPQQDAgNIADBFAiBrEvfU9e8I1YFZD9RkpqfE
p0u5Kwy0JvUnwEMJt09lpQIhALCp0nlJm4x5ji5qFJFtsWxxtIUthm25XF19evCh
FBGZ
-----END CERTIFICATE-----
`;

/** For a TLS server. */
export const companyCertificate = {
  cert: `\
-----BEGIN CERTIFICATE-----
MIIB/TCCAaSgAwIBAgIUTFYyQZRC5ta/9QzrWhaabhPBLiYwCgYIKoZIzj0EAwIw
PDEfMB0GA1UECgwWQ29kZXggTmF0aXZlIEFQSSB0ZXN0czEZMBcGA1UEAwwQQ29t
cGFueSBwcm94eSBDQTAgFw0yNjExMjkyMjIxMTJaGA8yMTI2MTEwNTIyMjExMlow
GjEYMBYGA1UEAwwPYmFja2VuZC5pbnZhbGlkMFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAEw8cF89VIADzPseEyZKe32bFrAEzzYUnQXMv9eY62hae+9ZeWzy/G2PCd
41NVB5+2rsHLAPlUiqEY2orJhjU4/KOBozCBoDAMBgNVHRMBAf8EAjAAMA4GA1Ud
DwEB/wQEAwIHgDATBgNVHSUEDDAKBggrBgEFBQcDATArBgNVHREEJDAigg9iYWNr
ZW5kLmludmFsaWSCCWxvY2FsaG9zdIcEfwAAATAdBgNVHQ4EFgQUHgIEtGo+QDoo
WBpqM59Xdy/c4IswHwYDVR0jBBgwFoAUTh3GmtsgOgqxKY4firsGEgThJb4wCgYI
KoZIzj0EAwIDRwAwRAIgKnBFPmPG1DpckQulJpATiAOQl+DeZujz17OYtQXueP4C
IFn4U0NLnjlxMcNLj5w+Zw/BdlvtCWE5yjAy0UtOWmWa
-----END CERTIFICATE-----
`,
  key: `\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgGFyCJJdkughi5vzN
F46R3mi++jQjjrz1FM38QFsMaDuhRANCAATDxwXz1UgAPM+x4TJkp7fZsWsATPNh
SdBcy/15jraFp771l5bPL8bY8J3jU1UHn7auwcsA+VSKoRjaismGNTj8
-----END PRIVATE KEY-----
`,
};
