/** What names and values of a webhook look like to somebody who has not seen the survey. */

/** How a question for a score from 0 to 10 is usually called. */
export function looksLikeNps(name: string): boolean {
  return /nps|recommend/i.test(name)
}

/** A number that nothing is lost of: no ID of many digits, no number with a zero before it, such as for a telephone. */
export function isNumberText(text: string): boolean {
  return /^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,10})?$/.test(text.trim())
}

/** Longer than the choices that people are given, or with signs that these hardly have. */
export function isFreeText(text: string): boolean {
  return text.length > 40 || /[@\n]/.test(text) || text.trim().split(/\s+/).length > 6
}

/** Also within a longer text. */
export const UUID = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/i

/** Whether a name of a field is one that somebody gave it, and not itself a piece of data. */
export function isPlainName(name: string): boolean {
  return name.length <= 100 && !/@|\d{5}|^\s*$/.test(name) && !UUID.test(name) && name.isWellFormed()
}
