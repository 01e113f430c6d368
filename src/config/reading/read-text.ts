import { readFileSync, statSync } from 'node:fs'

/** A file's text, or why there is none in words that complete "cannot read it: …". */
export type ReadText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly kind: 'unreadable' | 'not_text'; readonly reason: string }

/**
 * Reads a regular file of UTF-8 text. Pipes and devices are refused since reading them may never end. Never throws.
 *
 * @param limit the most bytes that are read
 */
export function readText(path: string, limit: number): ReadText {
  try {
    const state = statSync(path)
    if (state.isDirectory()) return unreadable('it is a folder')
    if (!state.isFile()) return unreadable('it is not a regular file')
    if (state.size > limit) return unreadable(`it is larger than ${limit / 1024} KB`)
    return decode(readFileSync(path))
  } catch (cause) {
    return unreadable(reasonOf(cause))
  }
}

function decode(bytes: Uint8Array): ReadText {
  try {
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch {
    return { ok: false, kind: 'not_text', reason: 'it is not UTF-8 text' }
  }
}

/** Why the file system refused, in words for people. */
export function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
  return REASONS[code] ?? code
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EEXIST: 'something else of that name is there',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is not a folder',
  ELOOP: 'its symbolic links go round in a circle',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  ENAMETOOLONG: 'the name is too long',
}

function unreadable(reason: string): ReadText {
  return { ok: false, kind: 'unreadable', reason }
}
