/** What the page reads is what the service says that it sends: its types must fit, and what it reads is all there. */
import t from "tap";
import {
  type RequestEntry,
  type RequestList,
  RequestEntry as requestEntry,
  type Usage as SentUsage,
} from "../../src/main/http/requests/wire-requests.js";
import type { StateEvent } from "../../src/main/http/wire-feed.js";
import type { PageToken as SentToken } from "../../src/main/http/wire-page.js";
import {
  type Entry,
  type EntryPage,
  entrySchema,
  type PageToken,
  type ServiceState,
  type Usage,
} from "../../src/page/wire.js";
import { makeEntry } from "../support/page-fixtures.js";

/** A type error here means that the page would not understand the service. */
const fits = {
  entry: (sent: RequestEntry): Entry => sent,
  list: (sent: RequestList): EntryPage => sent,
  usage: (sent: SentUsage): Usage => sent,
  state: (sent: StateEvent): ServiceState => sent,
  token: (sent: SentToken): PageToken => sent,
};

t.test("the page reads every key of a request's entry, and none that is not sent", async (t) => {
  const { object, ...keys } = requestEntry.shape;
  t.strictSame(Object.keys(entrySchema.shape).sort(), Object.keys(keys).sort());
  t.ok(object);
});

t.test("what the tests make up is what the service could send", async (t) => {
  const made = { object: "request", ...makeEntry() };
  const sent = requestEntry.parse(made);
  t.strictSame(fits.entry(sent), made);
});
