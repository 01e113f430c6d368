import type { JsonValue } from '../contracts/json.ts'

/**
 * Control characters, which move the cursor or colour a terminal, and those that turn the direction of writing round:
 * what somebody typed into a survey must not be able to paint over what is said of it.
 */
// oxlint-disable-next-line no-control-regex
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g

/** A text as a person may see it: what would act on a terminal is written as `\u001b`. */
export function displayed(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(UNSEEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A value as JSON on one line, as a person may see it; with `indent` on several. */
export function displayedJson(value: JsonValue, indent = 0): string {
  return displayed(JSON.stringify(value, null, indent))
}
