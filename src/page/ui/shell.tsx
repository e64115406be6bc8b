/** The frame around every view: state, navigation, language and theme. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { usePageState, useParts, useRoute } from "../data/page-context.js";
import { routeTo, type ViewName, viewNames } from "../data/route.js";
import type { PageState } from "../data/store.js";
import { type Language, languages } from "../texts/language.js";
import { shellTexts } from "../texts/shell.js";
import { useTexts } from "../texts/use-texts.js";
import { AutoIcon, Mark, MoonIcon, SunIcon } from "./icons.js";
import { nextTheme, type Theme } from "./theme.js";

export interface ShellProps {
  readonly theme: Theme;
  readonly onTheme: (theme: Theme) => void;
  readonly language: Language;
  readonly onLanguage: (language: Language) => void;
  readonly children: ComponentChildren;
}

export function Shell({ children, ...settings }: ShellProps) {
  const texts = useTexts(shellTexts);
  const main = useRef<HTMLElement>(null);
  return (
    <>
      {/* A button: the address's fragment is the route's. */}
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        {texts.skip}
      </button>
      <Header {...settings} />
      <Banners />
      <main id="main" ref={main} tabIndex={-1}>
        {children}
      </main>
      <Announcer />
    </>
  );
}

function Header(settings: Omit<ShellProps, "children">) {
  const texts = useTexts(shellTexts);
  const { view } = useRoute();
  const isOpen = usePageState(({ connection }) => connection !== "refused");
  return (
    <header class="top">
      <div class="top-inner">
        <div class="brand">
          <Mark />
          <span class="brand-name">{texts.title}</span>
        </div>
        {isOpen && (
          <nav class="views" aria-label={texts.views}>
            {viewNames.map((name: ViewName) => (
              <a key={name} href={routeTo(name)} aria-current={view === name ? "page" : undefined}>
                {texts[name]}
              </a>
            ))}
          </nav>
        )}
        <StatePill />
        <Settings {...settings} />
      </div>
    </header>
  );
}

type Standing = "ready" | "notReady" | "connecting" | "lost" | "locked";

function standingOf({ connection, service }: PageState): Standing {
  if (connection === "refused") return "locked";
  if (connection === "lost") return "lost";
  if (service === null) return "connecting";
  return service.ready ? "ready" : "notReady";
}

function StatePill() {
  const texts = useTexts(shellTexts);
  const standing = usePageState(standingOf);
  const isPolling = usePageState(({ connection }) => connection === "polling");
  return (
    <span class={`state state-${standing}`} title={isPolling ? texts.polling : undefined}>
      <span class="state-dot" />
      {texts[standing]}
    </span>
  );
}

const themeIcons = { auto: AutoIcon, light: SunIcon, dark: MoonIcon } as const;

function Settings({ theme, onTheme, language, onLanguage }: Omit<ShellProps, "children">) {
  const texts = useTexts(shellTexts);
  const { signIn } = useParts();
  const hasToken = usePageState((state) => state.hasToken);
  const themeNames = { auto: texts.themeAuto, light: texts.themeLight, dark: texts.themeDark };
  const other = language === "en" ? "zh" : "en";
  const ThemeIcon = themeIcons[theme];
  return (
    <div class="settings">
      {hasToken && (
        <button type="button" class="quiet" onClick={() => void signIn(null)}>
          {texts.signOut}
        </button>
      )}
      <button type="button" class="quiet" lang={other} onClick={() => onLanguage(other)}>
        {languages[other]}
      </button>
      <button
        type="button"
        class="quiet square"
        aria-label={`${texts.theme}: ${themeNames[theme]}`}
        title={`${texts.theme}: ${themeNames[theme]}`}
        onClick={() => onTheme(nextTheme(theme))}
      >
        <ThemeIcon />
      </button>
    </div>
  );
}

function Banners() {
  const texts = useTexts(shellTexts);
  const isLost = usePageState(({ connection }) => connection === "lost");
  const isOutdated = usePageState((state) => state.isOutdated);
  return (
    <>
      {isLost && <p class="banner banner-warn">{texts.lostBanner}</p>}
      {isOutdated && (
        <p class="banner">
          {texts.outdated}{" "}
          <button type="button" class="link" onClick={() => location.reload()}>
            {texts.reload}
          </button>
        </p>
      )}
    </>
  );
}

/** Says changes of the service's state to a screen reader, and nothing else: figures that change each second would never let it rest. */
function Announcer() {
  const texts = useTexts(shellTexts);
  const standing = usePageState(standingOf);
  const [said, say] = useState("");
  const before = useRef<Standing | null>(null);
  useEffect(() => {
    const last = before.current;
    if (standing !== "connecting") before.current = standing;
    if (last === null || last === standing) return;
    if (standing === "ready") say(texts.saidReady);
    if (standing === "notReady") say(texts.saidNotReady);
    if (standing === "lost") say(texts.saidLost);
  }, [standing, texts]);
  return (
    <div class="unseen" role="status" aria-live="polite">
      {said}
    </div>
  );
}
