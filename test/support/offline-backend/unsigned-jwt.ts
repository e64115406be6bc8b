import type { JsonObject } from "./json.js";

/** A JWT with a signature that is none: Codex reads the claims and leaves checking to the backend. */
export function signNothing(claims: JsonObject): string {
  const header = encode({ alg: "none", typ: "JWT" });
  return `${header}.${encode(claims)}.${Buffer.from("unsigned").toString("base64url")}`;
}

function encode(part: JsonObject): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}
