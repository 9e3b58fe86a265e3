// The page's own words. Sentences about the model come with the model, in each language.

import { en } from "./en";
import { zh } from "./zh";

export type Language = "en" | "zh";
export const CATALOGUES: Record<Language, Record<string, string>> = { en, zh };
