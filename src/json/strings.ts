const BACKSLASH = 0x5c

/**
 * Where the string of a JSON text that begins at `start` ends: at the first quote that no odd number of backslashes precedes.
 * The text's length where it has no end. Takes time in proportion to what it passes.
 */
export function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes += 1
    if (slashes % 2 === 0) return end
  }
  return text.length
}
