import { distance } from 'fastest-levenshtein'

/**
 * The candidate that was probably meant, or null when none is near. Casing, `-`, `_` and spaces are not counted as
 * differences (`writeKey` is `write_key`); beyond that one slip is allowed for every three characters, and two signs in
 * the wrong order are one slip.
 */
export function nearest(word: string, candidates: readonly string[]): string | null {
  const plain = plainly(word)
  const ranked = candidates
    .map((candidate) => ({ candidate, slips: slips(plain, plainly(candidate)) }))
    .filter(({ candidate, slips }) => slips <= allowedSlips(plain, plainly(candidate)))
    .sort((a, b) => a.slips - b.slips)
  return ranked[0]?.candidate ?? null
}

function plainly(word: string): string {
  return word.toLowerCase().replaceAll(/[-_\s]/g, '')
}

function slips(a: string, b: string): number {
  const edits = distance(a, b)
  return edits === 2 && sorted(a) === sorted(b) ? 1 : edits
}

function sorted(word: string): string {
  return Array.from(word).sort().join('')
}

function allowedSlips(a: string, b: string): number {
  const longer = Math.max(a.length, b.length)
  return Math.floor(longer / 3)
}

/** "did you mean …?", or the fallback when nothing is near. */
export function didYouMean(
  word: string,
  candidates: readonly string[],
  otherwise: string | null,
): string | null {
  const meant = nearest(word, candidates)
  return meant === null ? otherwise : `did you mean \`${meant}\`?`
}
