import type { TSchema } from '@sinclair/typebox'
import { dirname, resolve } from 'node:path'
import { isMap, isScalar } from 'yaml'
import { checkShape } from './checks/shape.ts'
import { Sheet } from './checks/sheet.ts'
import type { Mistake } from './mistake.ts'
import type { Environment } from './reading/interpolate.ts'
import type { Reading } from './reading/places.ts'
import { readPlaces } from './reading/read-places.ts'
import { parseSource, type Source } from './reading/source.ts'
import { checkSyntax } from './reading/yaml-syntax.ts'
import type { Shown } from './telling/excerpt.ts'
import { error, type Finding } from './telling/finding.ts'
import { toMistakes } from './telling/to-mistakes.ts'

/** What kind of file is read. */
export interface DocumentKind {
  readonly schema: TSchema
  /** Starts a sentence: `the configuration`. */
  readonly what: string
  /** For one who has nothing to go by. */
  readonly example: string
}

/** A YAML file, read and checked as far as its schema tells. */
export interface ReadDocument {
  readonly source: Source
  /** Null where it is too broken for further checks. */
  readonly sheet: Sheet | null
  readonly findings: readonly Finding[]
  readonly shown: readonly Shown[]
  /** Absolute paths of the files that it takes secrets from, whether they exist or not. */
  readonly secretFiles: readonly string[]
}

export interface DocumentText {
  /** As messages shall name it. */
  readonly file: string
  readonly text: string
  readonly environment: Environment
  /** Where relative paths start from; the file's folder where it is left out. */
  readonly folder?: string
}

/** Reads a document. Never throws for what is in it. */
export function readDocument(
  { file, text, environment, folder = dirname(resolve(file)) }: DocumentText,
  kind: DocumentKind,
): ReadDocument {
  const source = parseSource(file, text)
  const syntax = checkSyntax(source)
  if (syntax.length > 0) return unread(source, syntax)
  const wrongRoot = checkRoot(source, kind)
  if (wrongRoot !== null) return unread(source, [wrongRoot])

  const sources = { environment, folder }
  const reading = readPlaces(source, kind.schema, sources)
  const { shown } = reading
  const secretFiles = secretFilesOf(reading, folder)
  const tooComplex = reading.findings.filter(({ code }) => code === 'yaml_too_complex')
  if (tooComplex.length > 0) return { ...unread(source, tooComplex), shown, secretFiles }
  const shape = checkShape(reading, kind.schema)
  const sheet = new Sheet(source, sources, { reading, rejected: shape.rejected })
  return { source, sheet, findings: [...reading.findings, ...shape.findings], shown, secretFiles }
}

/** What is told of a document: what was found while reading it, and by checks of its meaning. */
export function mistakesOf(document: ReadDocument, findings: readonly Finding[]): readonly Mistake[] {
  return toMistakes(document.source, [...document.findings, ...findings], document.shown)
}

function unread(source: Source, findings: readonly Finding[]): ReadDocument {
  return { source, sheet: null, findings, shown: [], secretFiles: [] }
}

function checkRoot({ document: { contents } }: Source, { what, example }: DocumentKind): Finding | null {
  if (isMap(contents)) return null
  if (contents === null || (isScalar(contents) && contents.value === null)) {
    return error('empty_file', 0, `${what} is empty`, example)
  }
  return error('not_a_mapping', contents.range[0], `${what} must be a mapping, \`key: value\``, example)
}

function secretFilesOf({ places }: Reading, folder: string): string[] {
  const paths = [...places.values()]
    .flatMap(({ references }) => references)
    .flatMap((reference) => /^\$\{file:(.+)\}$/.exec(reference)?.[1] ?? [])
  return [...new Set(paths.map((path) => resolve(folder, path)))]
}
