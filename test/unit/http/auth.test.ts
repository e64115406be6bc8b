import { Socket } from "node:net";
import t from "tap";
import { nameDefaultToken } from "../../../src/main/config/named-token.js";
import { describeChallenge, identifyCaller, TokenAuth } from "../../../src/main/http/access-policy.js";
import { namedToken } from "../../support/http-fixture.js";

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

t.test("without a configured token nobody needs one", async (t) => {
  t.doesNotThrow(() => new TokenAuth([]).check({}));
});

t.test("the token passes, in any spelling of the scheme", async (t) => {
  const auth = new TokenAuth([nameDefaultToken("s3cret")]);
  for (const authorization of ["Bearer s3cret", "bearer s3cret", "BEARER  s3cret "]) {
    t.doesNotThrow(() => auth.check({ authorization }), authorization);
  }
});

t.test("anything else is refused", async (t) => {
  const auth = new TokenAuth([nameDefaultToken("s3cret")]);
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
  const name = identifyCaller(bearer("s3cret"), socket, null);
  t.equal(identifyCaller(bearer("s3cret"), socket, null), name);
  t.not(identifyCaller(bearer("other"), socket, null), name);
  t.notMatch(name, /s3cret/);
  t.match(identifyCaller({}, socket, null), /^connection:/);
  t.equal(identifyCaller(bearer("s3cret"), socket, namedToken("ada", "s3cret")), "token:ada");
});

t.test("each token lets its own caller in, and one that is switched off nobody", async (t) => {
  const ada = namedToken("ada", "ada's own token 1".replaceAll(" ", "-"));
  const bob = namedToken("bob", "bobs-own-token-22", { disabled: true });
  const auth = new TokenAuth([nameDefaultToken("s3cret"), ada, bob]);
  t.equal(auth.check(bearer("s3cret"))?.name, "default");
  t.equal(auth.check(bearer("ada's-own-token-1")), ada);
  t.throws(() => auth.check(bearer("bobs-own-token-22")), {
    code: "invalid_auth_token",
    message: /switched off/,
  });
});

t.test("with every token switched off nobody comes in", async (t) => {
  const auth = new TokenAuth([namedToken("bob", "bobs-own-token-22", { disabled: true })]);
  t.throws(() => auth.check({}), { code: "invalid_auth_token" });
});

t.test("a named token that is short is refused, also where only its digest is known", async (t) => {
  t.throws(() => new TokenAuth([namedToken("ada", "short")]).check(bearer("short")), {
    code: "invalid_auth_token",
  });
});
