import { endOfString } from './strings.ts'

const QUOTE = 0x22

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
