import { resolve } from 'node:path'
import type { MistakeCode } from '../mistake.ts'
import { didYouMean } from '../telling/nearest.ts'
import { readText } from './read-text.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Where `${NAME}` and `${file:PATH}` are looked up. */
export interface ReferenceSources {
  readonly environment: Environment
  /** The folder that relative paths start from. */
  readonly folder: string
}

export interface Interpolated {
  readonly text: string
  /** The references as written, `${NAME}`; empty when there were none. */
  readonly references: readonly string[]
  readonly problems: readonly ReferenceProblem[]
}

export interface ReferenceProblem {
  readonly code: MistakeCode
  readonly message: string
  readonly hint: string | null
}

const REFERENCE = /\$\$\{|\$\{([^}\n]*)(\}?)/g
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** A secret file is a key or a token; anything longer was not meant. */
const SECRET_FILE_LIMIT = 64 * 1024

/** Replaces every reference in the text once; `$${` becomes a plain `${`. What cannot be replaced is left empty. */
export function interpolate(text: string, sources: ReferenceSources): Interpolated {
  const references: string[] = []
  const problems: ReferenceProblem[] = []
  const replaced = text.replace(REFERENCE, (written: string, body: string | undefined, closing: string) => {
    if (body === undefined) return '${'
    const found = closing === '' ? unclosed() : lookUp(body, sources)
    if (typeof found !== 'string') problems.push(found)
    references.push(written)
    return typeof found === 'string' ? found : ''
  })
  return { text: replaced, references, problems }
}

/** Whether a text is made of well-formed references alone, so that showing it as written shows no secret. */
export function isOnlyReferences(text: string): boolean {
  return /^(\$\{([A-Za-z_][A-Za-z0-9_]*|file:[\w./~ -]+)\})+$/.test(text)
}

function lookUp(body: string, sources: ReferenceSources): string | ReferenceProblem {
  if (body.startsWith('file:')) return readSecret(body.slice('file:'.length), sources.folder)
  if (!NAME.test(body)) return badName(body)
  return Object.hasOwn(sources.environment, body) && sources.environment[body] !== undefined
    ? sources.environment[body]
    : missingVariable(body, Object.keys(sources.environment))
}

function readSecret(path: string, folder: string): string | ReferenceProblem {
  if (path.trim() === '')
    return badReference('`${file:…}` names no file', 'such as `${file:/run/secrets/api_key}`')
  const read = readText(resolve(folder, path), SECRET_FILE_LIMIT)
  if (read.ok) return read.text.replace(/\r?\n$/, '')
  return {
    code: 'unreadable_secret_file',
    message: `cannot read the secret file \`${path}\`: ${read.reason}`,
    hint: `relative paths start from the folder of this file`,
  }
}

function missingVariable(name: string, known: readonly string[]): ReferenceProblem {
  return {
    code: 'missing_variable',
    message: `environment variable \`${name}\` is not set`,
    hint: didYouMean(name, known, 'set it for the daemon, or read a file with `${file:PATH}`'),
  }
}

function unclosed(): ReferenceProblem {
  return badReference('`${` is never closed', 'write `${NAME}`, or `$${` for a plain `${`')
}

function badName(body: string): ReferenceProblem {
  if (body === '') return badReference('`${}` names nothing', 'write `${NAME}`, or `$${}` for a plain `${}`')
  if (/^[A-Za-z_]\w*:?[-=?+]/.test(body)) {
    return badReference('`${NAME}` takes no default value', 'set the variable, or write the value itself')
  }
  return badReference(
    '`${…}` holds something that is no name of an environment variable',
    'names have letters, digits and `_`; write `$${` for a plain `${`',
  )
}

function badReference(message: string, hint: string): ReferenceProblem {
  return { code: 'bad_reference', message, hint }
}
