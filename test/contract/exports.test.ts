import t from "tap";
import ts from "typescript";
import * as surface from "../../src/main/index.js";
import * as testingSurface from "../support/offline-backend/testing.js";

const main = "src/main/index.ts";
/** `codex-native-api/testing` */
const testing = "test/support/offline-backend/testing.ts";

const program = ts.createProgram([main, testing], {
  ...ts.convertCompilerOptionsFromJson(
    { target: "es2023", module: "nodenext", types: ["node"], lib: ["es2023"] },
    ".",
  ).options,
  strict: true,
  noEmit: true,
});
const checker = program.getTypeChecker();

/** What a host can import from this file. */
function listExports(file: string) {
  const source = program.getSourceFile(file);
  const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Error(`${file} exports nothing`);
  return checker.getExportsOfModule(module).map((symbol) => ({
    name: symbol.name,
    symbol: symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol,
  }));
}

const entries = [main, testing].map((file) => ({ file, exported: listExports(file) }));

function typesOf(file: string, values: object): readonly string[] {
  return listExports(file)
    .map(({ name }) => name)
    .filter((name) => !(name in values))
    .sort();
}

t.test("the package exports these values and no others", async (t) => {
  t.same(Object.keys(surface).sort(), [
    "CodexNativeApiError",
    "CodexNativeApiServer",
    "CodexNativeApiService",
    "CodexNativeApiSideTaskError",
    "CodexNativeApiSideTaskRouter",
    "CodexNativeRuntime",
    "InMemoryCodexNativeApiContinuationRegistry",
    "InMemoryCodexNativeApiRequestStore",
    "createConfig",
    "createRuntime",
    "readSideTaskSettings",
  ]);
});

t.test("the package exports these types beside them and no others", async (t) => {
  t.strictSame(typesOf(main, surface), [
    "AccessOptions",
    "AdmissionBounds",
    "AdmissionConfig",
    "AdmissionOptions",
    "AppServerHealth",
    "AppServerTransport",
    "AuthConfig",
    "CatalogHealth",
    "CircuitState",
    "ClientToolKind",
    "CloseOptions",
    "CodexConfig",
    "CodexHomeMode",
    "CodexInstallationOptions",
    "CodexNativeApiConfig",
    "CodexNativeApiContinuationRegistry",
    "CodexNativeApiErrorCode",
    "CodexNativeApiErrorDetails",
    "CodexNativeApiRequestStore",
    "CodexNativeApiServerOptions",
    "CodexNativeApiServiceEvents",
    "CodexNativeApiServiceOptions",
    "CodexNativeApiSettings",
    "CodexNativeApiSideTaskErrorCode",
    "CodexNativeApiSideTaskErrorDetails",
    "CodexNativeApiSideTaskRouterOptions",
    "CodexNativeRuntimeOptions",
    "ConfigChanges",
    "ConfigFault",
    "ConfigResult",
    "ContinuationConfig",
    "ContinuationGoneReason",
    "ContinuationIdentity",
    "ContinuationLookup",
    "ContinuationPutResult",
    "ContinuationRecord",
    "ContinuationRegistryStats",
    "ContinuationRouteKind",
    "CreateConfigOptions",
    "CreateRuntimeOptions",
    "DecisionAnswer",
    "DecisionAnswerTo",
    "DecisionAnswersTo",
    "DecisionChoice",
    "DecisionChoiceAnswer",
    "DecisionChoiceValue",
    "DecisionImagePart",
    "DecisionJsonPart",
    "DecisionPredicate",
    "DecisionPredicateAnswer",
    "DecisionQuestion",
    "DecisionQuestionPart",
    "DecisionRefusal",
    "DecisionScore",
    "DecisionScoreAnswer",
    "DecisionTextPart",
    "DecisionsConfig",
    "ExternalProvider",
    "ExternalReason",
    "FunctionTool",
    "HealthOptions",
    "HttpConfig",
    "InMemoryContinuationRegistryOptions",
    "InMemoryRequestStoreOptions",
    "IsolatedTurnHandlers",
    "IsolatedTurnOutcome",
    "IsolatedTurnRequest",
    "IsolatedTurnResult",
    "ItemChunk",
    "ItemList",
    "Items",
    "JsonObject",
    "LayerKind",
    "ListenConfig",
    "ListenerLimits",
    "ListeningAddress",
    "LocalApiSettings",
    "LogFormat",
    "LogLevel",
    "MetadataLevel",
    "MetricsPage",
    "MetricsSink",
    "ModelAlias",
    "ModelAliasHealth",
    "ModelAliases",
    "ModelsConfig",
    "NamedModel",
    "NamedToken",
    "NativeAccount",
    "NativeModel",
    "NativeRuntimeHealth",
    "NativeRuntimeObserver",
    "NativeTurnRuntime",
    "NewContinuationRecord",
    "OnAdmission",
    "OptionOrigin",
    "OutputItemType",
    "PromptForm",
    "PromptFormHealth",
    "PromptFormsHealth",
    "ProviderDialect",
    "QueueWait",
    "RateLimitWindow",
    "RateLimits",
    "Readiness",
    "ReadinessSnapshot",
    "RequestContent",
    "RequestEntry",
    "RequestFailure",
    "RequestListQuery",
    "RequestObservation",
    "RequestOutcome",
    "RequestPage",
    "RequestRetry",
    "RequestState",
    "RequestTarget",
    "RequestThread",
    "RequestTimings",
    "RequestTokens",
    "RequestViewer",
    "RequestsConfig",
    "ResolveOptions",
    "RuntimeSettings",
    "ServerReadings",
    "ServerSettings",
    "ServiceAccountChanged",
    "ServiceListening",
    "ServiceReady",
    "ServiceStart",
    "ServiceState",
    "ServiceStopped",
    "ServiceStopping",
    "ServiceUnavailable",
    "SideTaskCall",
    "SideTaskClass",
    "SideTaskClassOverrides",
    "SideTaskClassSettings",
    "SideTaskDecision",
    "SideTaskDecisionRequest",
    "SideTaskEvent",
    "SideTaskFailure",
    "SideTaskLimits",
    "SideTaskNetwork",
    "SideTaskOutput",
    "SideTaskRequest",
    "SideTaskResult",
    "SideTaskRouteName",
    "SideTaskRuntime",
    "SideTaskServed",
    "SideTaskService",
    "SideTaskSettings",
    "SideTaskSettingsFault",
    "SideTaskSettingsResult",
    "SideTaskSkipReason",
    "SideTaskTarget",
    "SideTaskTrial",
    "SpareThreadsHealth",
    "StandardIssue",
    "StandardResult",
    "StandardSchema",
    "ThreadKind",
    "TokenEntry",
    "TokenUsage",
    "ToolOutput",
    "ToolOutputPart",
    "TurnErrorCode",
    "TurnErrorData",
    "TurnEvent",
    "TurnObservation",
    "TurnOutcome",
    "TurnPriority",
    "TurnProfile",
    "TurnStarted",
    "TurnTerms",
    "TurnsConfig",
    "UnsupportedParameterPolicy",
    "UpstreamConnectionsHealth",
    "UpstreamLimitHealth",
    "UpstreamLimitsHealth",
    "UsageBounds",
    "UsageReport",
    "UsageRow",
    "WebSearchLocation",
    "WebSearchOptions",
    "WorkerHealth",
    "WorkerSlotState",
  ]);
});

t.test("codex-native-api/testing exports these values and no others", async (t) => {
  t.strictSame(Object.keys(testingSurface).sort(), [
    "contextLengthExceeded",
    "createApiKeyLogin",
    "createChatGptLogin",
    "cutConnection",
    "decide",
    "delayed",
    "echo",
    "functionCall",
    "hangUp",
    "held",
    "httpError",
    "incomplete",
    "isDecision",
    "lastUserText",
    "logout",
    "offeredTools",
    "overloaded",
    "rateLimited",
    "rawItem",
    "reasoning",
    "refusal",
    "reply",
    "resetConnection",
    "responseFailed",
    "silent",
    "stall",
    "startOfflineBackend",
    "switchAccount",
    "text",
    "textInDeltas",
    "usageLimitReached",
    "webSearchCall",
    "withUsage",
  ]);
});

t.test("and these types", async (t) => {
  t.strictSame(typesOf(testing, testingSurface), [
    "AccountForm",
    "AccountLimitSettings",
    "AskedRequest",
    "BackendCounters",
    "ChatGptLogin",
    "ChatGptLoginOptions",
    "DemandedForm",
    "DeviceLogins",
    "Ending",
    "FunctionCallOptions",
    "FunctionCallPart",
    "HangUpReply",
    "HttpErrorOptions",
    "HttpErrorReply",
    "Identity",
    "InterruptionOptions",
    "JsonObject",
    "JsonValue",
    "LoginOptions",
    "ModelRequestBody",
    "OfflineBackend",
    "OfflineBackendOptions",
    "OutputPart",
    "ProviderTuning",
    "RateLimitSettings",
    "RateLimitWindow",
    "RawItemPart",
    "ReasoningOptions",
    "ReasoningPart",
    "RecordedModelRequest",
    "RefusalPart",
    "Reply",
    "ReplySource",
    "RequestMatch",
    "StreamClosing",
    "StreamOutcome",
    "StreamReply",
    "TextOptions",
    "TextPart",
    "TokenAnswer",
    "TokenAuthority",
    "TokenSet",
    "TokenUsage",
    "TomlTable",
    "UrlCitation",
    "UsageLimitOptions",
    "WaitForRequestOptions",
    "WebSearchOptions",
    "WebSearchPart",
    "WorkspaceRouting",
  ]);
});

function isPrivate(member: ts.Node): boolean {
  if (!ts.isClassElement(member)) return false;
  if (member.name !== undefined && ts.isPrivateIdentifier(member.name)) return true;
  return (
    ts.canHaveModifiers(member) &&
    (ts.getModifiers(member) ?? []).some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)
  );
}

/** Named types of our own that a declaration shows to whoever uses it. */
function shownTypes(declaration: ts.Node): readonly ts.Symbol[] {
  const found: ts.Symbol[] = [];
  const visit = (node: ts.Node): void => {
    if (isPrivate(node) || ts.isBlock(node)) return;
    if (ts.isTypeReferenceNode(node) || ts.isExpressionWithTypeArguments(node)) {
      const at = ts.isTypeReferenceNode(node) ? node.typeName : node.expression;
      const symbol = checker.getSymbolAtLocation(at);
      if (symbol !== undefined)
        found.push(symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);
    }
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(declaration, visit);
  return found;
}

/** A type of this package that a host may want to name: not a parameter, and not a generic tool of one file. */
function isOurs(symbol: ts.Symbol): boolean {
  const [declaration] = symbol.declarations ?? [];
  if (declaration === undefined || symbol.flags & ts.SymbolFlags.TypeParameter) return false;
  if (ts.isTypeAliasDeclaration(declaration) && declaration.typeParameters !== undefined) return false;
  return /(^|\/)(src\/(main|workers)|test\/support)\//.test(declaration.getSourceFile().fileName);
}

t.test(
  "every type that an export shows is exported too: no host has to reach into the package",
  async (t) => {
    const hidden = entries.flatMap(({ exported }) => {
      const publicNames = new Set(exported.flatMap(({ name, symbol }) => [name, symbol.name]));
      return exported.flatMap(({ name, symbol }) =>
        (symbol.declarations ?? [])
          .flatMap(shownTypes)
          .filter((shown) => isOurs(shown) && !publicNames.has(shown.name))
          .map((shown) => `${name} shows ${shown.name}`),
      );
    });
    t.strictSame([...new Set(hidden)], []);
  },
);

function isDocumented(symbol: ts.Symbol): boolean {
  return symbol.getDocumentationComment(checker).length > 0;
}

t.test("every export says what it is, and so does every method of a class", async (t) => {
  const bare = entries
    .flatMap(({ exported }) => exported)
    .flatMap(({ name, symbol }) => {
      const members = [...(symbol.members?.values() ?? [])].filter(
        (member) => symbol.flags & ts.SymbolFlags.Class && member.flags & ts.SymbolFlags.Method,
      );
      const methods = members.filter(
        (member) => !(member.declarations ?? []).some(isPrivate) && !isDocumented(member),
      );
      return [...(isDocumented(symbol) ? [] : [name]), ...methods.map((method) => `${name}.${method.name}`)];
    });
  t.strictSame(bare, []);
});
