const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * Whether a JSON text opens more than `levels` lists and objects within one another, told without parsing it. Of a text
 * that is no JSON the answer may be either; nothing recurses.
 */
export function isNestedDeeperThan(text: string, levels: number): boolean {
  // Hardly a body opens as many at all; to look for them takes a fraction of what the walk takes.
  return opensMoreThan(text, levels) && walksDeeperThan(text, levels)
}

function opensMoreThan(text: string, most: number): boolean {
  let left = most
  for (const sign of ['{', '[']) {
    for (let at = text.indexOf(sign); at >= 0; at = text.indexOf(sign, at + 1)) if (--left < 0) return true
  }
  return false
}

function walksDeeperThan(text: string, levels: number): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at)
        break
      case 0x5b:
      case 0x7b:
        if (++depth > levels) return true
        break
      case 0x5d:
      case 0x7d:
        depth -= 1
        break
    }
  }
  return false
}

/** Where the string that begins at `start` ends: at the first quote that no odd number of backslashes precedes. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes += 1
    if (slashes % 2 === 0) return end
  }
  return text.length
}
