import { Socket } from "node:net";
import t from "tap";
import { describeChallenge, identifyCaller, TokenAuth } from "../../../src/main/http/auth.js";

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

t.test("without a configured token nobody needs one", async (t) => {
  t.doesNotThrow(() => new TokenAuth(null).check({}));
});

t.test("the token passes, in any spelling of the scheme", async (t) => {
  const auth = new TokenAuth("s3cret");
  for (const authorization of ["Bearer s3cret", "bearer s3cret", "BEARER  s3cret "]) {
    t.doesNotThrow(() => auth.check({ authorization }), authorization);
  }
});

t.test("anything else is refused", async (t) => {
  const auth = new TokenAuth("s3cret");
  for (const authorization of [
    "",
    "s3cret",
    "Basic s3cret",
    "Bearer",
    "Bearer s3cre",
    "Bearer s3crett",
    "Bearer s3cret x",
  ]) {
    t.throws(() => auth.check({ authorization }), { code: "invalid_auth_token", status: 401 }, authorization);
  }
  t.throws(() => auth.check({}), { code: "invalid_auth_token" });
});

t.test("the challenge says whether a token was given", async (t) => {
  t.equal(describeChallenge({}), 'Bearer realm="codex-native-api"');
  t.equal(describeChallenge(bearer("x")), 'Bearer realm="codex-native-api", error="invalid_token"');
});

t.test("a caller is known by its token, which is not in its name", async (t) => {
  const socket = new Socket();
  const name = identifyCaller(bearer("s3cret"), socket);
  t.equal(identifyCaller(bearer("s3cret"), socket), name);
  t.not(identifyCaller(bearer("other"), socket), name);
  t.notMatch(name, /s3cret/);
  t.match(identifyCaller({}, socket), /^connection:/);
});
