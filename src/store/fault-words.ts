import { SQLiteError } from 'bun:sqlite'

/** By the beginning of SQLite's code, the longer ones first: https://www.sqlite.org/rescode.html */
const WORDS: readonly (readonly [code: string, words: string])[] = [
  ['SQLITE_FULL', 'the disk is full'],
  ['SQLITE_IOERR_FSYNC', 'the disk did not confirm what was written to it'],
  ['SQLITE_IOERR_WRITE', 'writing to the disk failed'],
  ['SQLITE_IOERR', 'the disk failed'],
  ['SQLITE_READONLY', 'the file cannot be written to'],
  ['SQLITE_BUSY', 'another process holds its lock'],
  ['SQLITE_CANTOPEN', 'a file of it cannot be opened'],
  ['SQLITE_CORRUPT', 'the file is damaged; restore a copy of it'],
  ['SQLITE_NOTADB', 'the file is damaged; restore a copy of it'],
]

/** What is wrong with the database, for an operator; nothing of what it holds. */
export function faultWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (!(error instanceof SQLiteError)) return error.message
  const code = error.code ?? ''
  const known = WORDS.find(([start]) => code.startsWith(start))
  return known === undefined ? error.message : `${known[1]} (${code}: ${error.message})`
}
