import t from "tap";
import { dataUrl, tinyPng, turnOf } from "../request-fixtures.js";

const withImage = (image: object) =>
  turnOf({ input: [{ role: "user", content: [{ type: "input_image", ...image }] }] });

t.test("an image that Codex can read goes on as it is", async (t) => {
  const urls = [
    tinyPng,
    tinyPng.replace("data:image/png", "DATA:IMAGE/PNG"),
    dataUrl("image/jpeg", Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0])),
    dataUrl("image/gif", "GIF89a......"),
    dataUrl("image/webp", "RIFF\0\0\0\0WEBPVP8 "),
  ];
  for (const image_url of urls) {
    t.match(withImage({ image_url }).request.items, [{ content: [{ type: "input_image", image_url }] }]);
  }
});

t.test("any other is refused, where Codex would put a text in its place", async (t) => {
  const cases: readonly (readonly [object, string, string])[] = [
    [{ image_url: "https://x.example/y.png" }, "unsupported_responses_feature", "image_url"],
    [{ image_url: dataUrl("image/bmp", "BM......") }, "unsupported_responses_feature", "image_url"],
    [{ image_url: dataUrl("image/svg+xml", "<svg/>") }, "unsupported_responses_feature", "image_url"],
    [{ image_url: dataUrl("image/webp", "RIFF") }, "unsupported_responses_feature", "image_url"],
    [{ image_url: "data:image/png;base64," }, "unsupported_responses_feature", "image_url"],
    [{ image_url: "data:image/png,abc" }, "invalid_request", "image_url"],
    [{ image_url: tinyPng.slice(0, -1) }, "invalid_request", "image_url"],
    [{ image_url: `${tinyPng.slice(0, 60)}\n${tinyPng.slice(60)}` }, "invalid_request", "image_url"],
    [{ file_id: "file_1" }, "unsupported_responses_feature", "file_id"],
    [{ image_url: tinyPng, file_id: "file_1" }, "unsupported_responses_feature", "file_id"],
    [{}, "invalid_request", "image_url"],
    [{ image_url: tinyPng, detail: "enormous" }, "invalid_request", "detail"],
  ];
  for (const [image, code, field] of cases) {
    t.throws(
      () => withImage(image),
      { code, param: `input[0].content[0].${field}` },
      JSON.stringify(image).slice(0, 80),
    );
  }
});

t.test("a detail that Codex does not pass on is named, once for all images", async (t) => {
  const image = (detail: unknown) => ({ type: "input_image", image_url: tinyPng, detail });
  const input = (...details: readonly unknown[]) => [{ role: "user", content: details.map(image) }];
  t.strictSame(turnOf({ input: input("auto", "original", null) }).ignoredParameters, []);
  t.strictSame(turnOf({ input: input("low", "high") }).ignoredParameters, ["input[].content[].detail"]);
});

t.test("a low detail does not go on, for which Codex might leave the image out", async (t) => {
  const image = (detail: string) => ({ type: "input_image", image_url: tinyPng, detail });
  const input = [
    { role: "user", content: [image("low"), image("high")] },
    { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
    { type: "function_call_output", call_id: "c", output: [image("low")] },
  ];
  const [message, , output] = turnOf({ input }).request.items;
  t.strictSame(message?.content, [{ type: "input_image", image_url: tinyPng }, image("high")]);
  t.strictSame(output?.output, [{ type: "input_image", image_url: tinyPng }]);
});
