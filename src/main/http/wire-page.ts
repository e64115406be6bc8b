/** What the routes of the page for browsers answer. */
import { z } from "zod";
import { type Sent, text } from "../dialects/answers/wire-types.js";

export const PageCode = z.object({
  object: z.literal("page_code"),
  code: z.string().describe("Stands for the token of this request, once."),
  expires_in: z.number().describe("Seconds until it ends."),
});
export type PageCode = Sent<typeof PageCode>;

export const PageToken = z.object({
  object: z.literal("page_token"),
  token: text.describe("Token that the code was issued for. Null: this service needs none."),
});
export type PageToken = Sent<typeof PageToken>;
