import { useEffect, useState } from "preact/hooks";
import {
  LanguageContext,
  type PageParts,
  PartsContext,
  usePageState,
  useRoute,
} from "../data/page-context.js";
import { isViewName, routeTo, viewNames } from "../data/route.js";
import { shellTexts } from "../texts/shell.js";
import { useTexts } from "../texts/use-texts.js";
import { useClearedWhenLocked } from "../views/try/use-session.js";
import { viewTable } from "../views/view-table.js";
import { Shell } from "./shell.js";
import { applyLanguage, applyTheme, keepLanguage, keepTheme, keptLanguage, keptTheme } from "./theme.js";
import { TokenForm } from "./token-form.js";

export function App({ parts }: { readonly parts: PageParts }) {
  const [theme, setTheme] = useState(keptTheme);
  const [language, setLanguage] = useState(keptLanguage);
  useEffect(() => applyTheme(theme), [theme]);
  useEffect(() => applyLanguage(language), [language]);
  return (
    <PartsContext.Provider value={parts}>
      <LanguageContext.Provider value={language}>
        <Shell
          theme={theme}
          onTheme={(chosen) => {
            keepTheme(chosen);
            setTheme(chosen);
          }}
          language={language}
          onLanguage={(chosen) => {
            keepLanguage(chosen);
            setLanguage(chosen);
          }}
        >
          <CurrentView />
        </Shell>
      </LanguageContext.Provider>
    </PartsContext.Provider>
  );
}

function CurrentView() {
  const texts = useTexts(shellTexts);
  const route = useRoute();
  useClearedWhenLocked();
  const isRefused = usePageState(({ connection }) => connection === "refused");
  const name = isViewName(route.view) ? route.view : viewNames[0];
  const viewTitle = texts[name];
  useEffect(() => {
    if (!isViewName(route.view)) history.replaceState(null, "", routeTo(name));
    document.title = `${viewTitle} · ${texts.title}`;
  }, [route.view, name, viewTitle, texts.title]);
  if (isRefused) return <TokenForm />;
  const View = viewTable[name];
  return <View key={name} route={route} />;
}
