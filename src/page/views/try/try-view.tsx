import { shellTexts } from "../../texts/shell.js";
import { useTexts } from "../../texts/use-texts.js";
import { ViewHeading } from "../../ui/view-heading.js";
import type { ViewProps } from "../view-props.js";

export function TryView(_props: ViewProps) {
  const texts = useTexts(shellTexts);
  return <ViewHeading>{texts.try}</ViewHeading>;
}
