import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { formatMistake, type Mistake } from '../config/mistake.ts'
import { reasonOf } from '../config/reading/read-text.ts'
import { loadTestFiles } from '../config/test-files.ts'
import type { MappingTest } from '../contracts/mapping-test.ts'
import { systemClock } from '../observe/system-clock.ts'
import { type LoadedProject, loadProject } from '../project.ts'
import { junitXml } from '../testing/junit.ts'
import { type TestResult, TestRunner } from '../testing/run-test.ts'
import { paletteOf } from './colours.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'
import { SecretMask } from './masked.ts'
import { tellMistakes } from './refused-configuration.ts'
import { describeResult, summaryOf } from './test-report.ts'

export interface TestOptions {
  readonly config: string
  /** Files of tests; none stands for those of the configuration and of config/tests beside it. */
  readonly files: readonly string[]
  /** A part of the names of the tests to run; null runs all. */
  readonly filter: string | null
  readonly json: boolean
  /** Where to write the results as JUnit XML; null does not. */
  readonly junit: string | null
}

/** Runs tests of the mapping. Fails when one fails, and when there is none to run. */
export async function test(options: TestOptions, context: CommandContext): Promise<ExitCode> {
  const { config, json } = options
  const project = await loadProject(config, context.environment)
  if (!project.ok) return tellMistakes({ ...project, file: config, json }, context)
  try {
    const { environment } = context
    const named = options.files.length > 0 ? options.files : null
    const loaded = loadTestFiles(config, named, environment, project.configuration)
    const warnings = [...project.warnings, ...loaded.warnings]
    if (loaded.mistakes.length > 0) {
      const [first] = loaded.mistakes
      return tellMistakes({ file: first!.file, mistakes: loaded.mistakes, warnings, json }, context)
    }
    const found = named === null ? [...project.configuration.tests, ...loaded.tests] : loaded.tests
    const mask = new SecretMask(project.configuration, environment)
    return await runAll(found, warnings, options, project, mask, mask.context(context))
  } finally {
    project.plugins.stop()
  }
}

async function runAll(
  found: readonly MappingTest[],
  warnings: readonly Mistake[],
  options: TestOptions,
  project: LoadedProject,
  mask: SecretMask,
  context: CommandContext,
): Promise<ExitCode> {
  const { filter, json, junit } = options
  const chosen = filter === null ? found : found.filter(({ name }) => name.includes(filter))
  const palette = paletteOf(context)
  if (!json) for (const warning of warnings) context.print(formatMistake(warning))
  const runner = new TestRunner(project, () => systemClock.elapsed())
  const results: TestResult[] = []
  for (const one of chosen) {
    const result = masked(await runner.run(one), mask)
    results.push(result)
    if (!json) for (const line of describeResult(result, palette)) context.print(line)
  }
  const hint = chosen.length === 0 ? nothingToRun(found, options) : null
  const passed = hint === null && results.every(({ verdict }) => verdict === 'passed')
  if (json) context.print(asJson(results, { ok: passed, hint, warnings }))
  else context.print(hint ?? `\n${summaryOf(results, palette)}`)
  const written = junit === null ? null : write(junit, junitXml(results))
  if (written !== null) context.printError(written)
  return passed && written === null ? EXIT.ok : EXIT.failure
}

/** Before it is put into XML, where a secret would look otherwise. */
function masked(result: TestResult, mask: SecretMask): TestResult {
  return JSON.parse(JSON.stringify(result), (_name, value: unknown) =>
    typeof value === 'string' ? mask.text(value) : value,
  ) as TestResult
}

/** A job that is to run tests and finds none must not look as if all were well. */
function nothingToRun(found: readonly MappingTest[], { config, filter, files }: TestOptions): string {
  if (found.length > 0)
    return `no test has ${JSON.stringify(filter)} in its name; there are ${found.length} others`
  if (files.length > 0) return `there are no tests in ${files.join(', ')}`
  return (
    `there are no tests: write some under \`tests:\` in ${config} or in config/tests/*.yaml beside it, ` +
    'or let `refiner-sync init --from-webhook FILE` make a first one'
  )
}

function asJson(
  results: readonly TestResult[],
  { ok, hint, warnings }: { ok: boolean; hint: string | null; warnings: readonly Mistake[] },
): string {
  const tests = results.map(({ durationMs, ...result }) => ({
    ...result,
    duration_ms: Math.round(durationMs * 1000) / 1000,
  }))
  const passed = results.filter(({ verdict }) => verdict === 'passed').length
  const failed = results.length - passed
  return JSON.stringify({ ok, passed, failed, hint, tests, mistakes: [], warnings }, null, 2)
}

/** Why the file could not be written; null when it was. */
function write(file: string, text: string): string | null {
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    return null
  } catch (cause) {
    return `cannot write ${file}: ${reasonOf(cause)}`
  }
}
