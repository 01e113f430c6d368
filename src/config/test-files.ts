import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Configuration } from '../contracts/configuration.ts'
import type { MappingTest } from '../contracts/mapping-test.ts'
import { checkTests } from './checks/tests.ts'
import type { Mistake, MistakeCode } from './mistake.ts'
import { type DocumentKind, mistakesOf, readDocument } from './read-document.ts'
import type { Environment } from './reading/interpolate.ts'
import { readText, reasonOf } from './reading/read-text.ts'
import { parseSource } from './reading/source.ts'
import { resolveTests } from './resolve-tests.ts'
import { TestFile, type TestList } from './schema-tests.ts'
import { error } from './telling/finding.ts'
import { toMistakes } from './telling/to-mistakes.ts'

/** What reading files of tests came to: tests only where no file has a mistake. */
export interface LoadedTests {
  readonly tests: readonly MappingTest[]
  readonly mistakes: readonly Mistake[]
  readonly warnings: readonly Mistake[]
  /** Absolute paths of the files. */
  readonly files: readonly string[]
}

/** Bytes of a file of tests that is read at all. */
const LARGEST_TESTS = 16 * 1024 * 1024

const TESTS: DocumentKind = {
  schema: TestFile,
  what: 'the file of tests',
  example: 'such as `tests: [{ name: a promoter, input: { file: nps.json }, expect: [{ type: track }] }]`',
}

/** Where files of tests stand beside a configuration. */
const FOLDER = join('config', 'tests')

/**
 * Reads files of tests: those that are named, else all of config/tests/*.yaml beside the configuration, by name. Never
 * throws for what is in a file or in its way.
 *
 * @param files as messages shall name them; null for those beside the configuration
 */
export function loadTestFiles(
  configFile: string,
  files: readonly string[] | null,
  environment: Environment,
  { tenants }: Pick<Configuration, 'tenants'>,
): LoadedTests {
  const beside: Beside = files === null ? filesBeside(configFile) : { ok: true, names: files }
  if (!beside.ok) return unreadable(beside.folder, 'file_unreadable', beside.reason)
  const all = beside.names.map((file) => loadTestFile(file, environment, [...tenants.keys()]))
  const mistakes = all.flatMap((loaded) => loaded.mistakes)
  return {
    tests: mistakes.length > 0 ? [] : all.flatMap((loaded) => loaded.tests),
    mistakes,
    warnings: all.flatMap((loaded) => loaded.warnings),
    files: all.flatMap((loaded) => loaded.files),
  }
}

/** Reads a file of tests from text in memory, as `loadTestFiles` does from a file of that name. */
export function readTestFile({
  file,
  text,
  environment,
  tenants,
}: {
  file: string
  text: string
  environment: Environment
  /** The names of the tenants there are. */
  tenants: readonly string[]
}): LoadedTests {
  const document = readDocument({ file, text, environment }, TESTS)
  const { sheet } = document
  const told = mistakesOf(document, sheet === null ? [] : checkTests(sheet, tenants))
  const mistakes = told.filter(({ severity }) => severity === 'error')
  const tests =
    sheet === null || mistakes.length > 0
      ? []
      : resolveTests(sheet, (sheet.value as { tests: TestList }).tests)
  const warnings = told.filter(({ severity }) => severity === 'warning')
  return { tests, mistakes, warnings, files: [resolve(file)] }
}

function loadTestFile(file: string, environment: Environment, tenants: readonly string[]): LoadedTests {
  const read = readText(file, LARGEST_TESTS)
  if (read.ok) return readTestFile({ file, text: read.text, environment, tenants })
  return unreadable(file, read.kind === 'not_text' ? 'file_not_text' : 'file_unreadable', read.reason)
}

function unreadable(file: string, code: MistakeCode, reason: string): LoadedTests {
  const finding = error(code, 0, `cannot read the tests ${resolve(file)}: ${reason}`)
  const mistakes = toMistakes(parseSource(file, ''), [finding], [])
  return { tests: [], mistakes, warnings: [], files: [resolve(file)] }
}

type Beside =
  | { readonly ok: true; readonly names: readonly string[] }
  | { readonly ok: false; readonly folder: string; readonly reason: string }

/** None where there is no such folder. */
function filesBeside(configFile: string): Beside {
  const folder = join(dirname(configFile), FOLDER)
  if (!existsSync(folder)) return { ok: true, names: [] }
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'))
    return { ok: true, names: names.sort().map((name) => join(folder, name)) }
  } catch (cause) {
    return { ok: false, folder, reason: reasonOf(cause) }
  }
}
