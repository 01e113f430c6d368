import { endOfString } from './strings.ts'

const MANY_DIGITS = /\d{16}/
/** A value of sixteen digits: the shortest integer that a JavaScript number may not hold exactly. */
const LONG_INTEGER = /(?:^|[:,[])\s*-?\d{16,}\s*(?:[,}\]]|$)/
/** Where a string begins, or a whole number of as many signs. Without backtracking: the text is anybody's. */
const STRING_OR_LONG = /"|-?\d[\d.eE+-]{15,}/g
const INTEGER = /^-?[1-9]\d*$/
const IS_NAME = /\s*:/y

/**
 * JSON.parse, except that an integer beyond what a number holds exactly becomes the text of its digits: an ID must not
 * turn into the one next to it. Throws where JSON.parse does.
 */
export function parseExact(text: string): unknown {
  // The first look is the cheap one: hardly a text has so many digits in a row.
  if (!MANY_DIGITS.test(text) || !LONG_INTEGER.test(text)) return JSON.parse(text)
  return JSON.parse(withQuotedIntegers(text))
}

/** Before it is parsed, since to look at every value while it is parsed takes fifty times as long as parsing. */
function withQuotedIntegers(text: string): string {
  let result = ''
  let copied = 0
  STRING_OR_LONG.lastIndex = 0
  for (let found = STRING_OR_LONG.exec(text); found !== null; found = STRING_OR_LONG.exec(text)) {
    const [token] = found
    const start = found.index
    if (token === '"') {
      STRING_OR_LONG.lastIndex = endOfString(text, start) + 1
    } else if (isInexact(token) && !isName(text, start + token.length)) {
      result += `${text.slice(copied, start)}"${token}"`
      copied = start + token.length
    }
  }
  return result + text.slice(copied)
}

function isInexact(token: string): boolean {
  return INTEGER.test(token) && !Number.isSafeInteger(Number(token))
}

/** A number in the place of a name is a mistake, and has to stay one. */
function isName(text: string, end: number): boolean {
  IS_NAME.lastIndex = end
  return IS_NAME.test(text)
}
