/** As much of an answer as is kept, in characters. */
const MOST_CHARACTERS = 500
const REDACTED = '[redacted]'

/** A name of a secret with what stands behind it: `"api_key": "…"`, `token=…`, `Authorization: Bearer …`. */
const NAMED =
  /([\w-]{0,40}(?:key|token|secret|passw(?:or)?d|authorization|cookie|credentials?|signature|session)[\w-]{0,20}\\?["']?\s{0,4}[:=]\s{0,4}\\?["']?)(?:(?:bearer|basic|digest)\s{1,4})?[^\s"'\\,;&<>{}[\]]{1,2000}/gi
/** A scheme of HTTP with its credentials, wherever it stands. */
const SCHEME = /\b(bearer|basic)\s{1,4}[\w.~+/=-]{6,2000}/gi
/** Of a URL: `//name:password@`. */
const IN_URL = /\/\/[^\s/@:]{0,200}:[^\s/@]{1,200}@/g
/** What may be a key as it stands: long, of one piece, with letters and digits. So are UUIDs, which some keys are. */
const PIECE = /[\w.~+=-]{16,2000}/g

/**
 * A destination's answer as it is kept and shown: without what looks like a key, token or password, and cut to 500
 * characters. Rather too much goes than too little. A text of any length costs little.
 */
export function redactAnswer(answer: string): string {
  // What is cut in the middle of a key no longer looks like one.
  const whole = answer.length < MOST_CHARACTERS ? answer : answer.slice(0, 1000).replace(/[\w.~+=-]+$/, '…')
  return whole
    .replace(NAMED, `$1${REDACTED}`)
    .replace(SCHEME, `$1 ${REDACTED}`)
    .replace(IN_URL, `//${REDACTED}@`)
    .replace(PIECE, (piece) => (/\d/.test(piece) && /[a-z]/i.test(piece) ? REDACTED : piece))
    .slice(0, MOST_CHARACTERS)
}
