import { displayed } from './displayed.ts'
import { lineDiff } from './line-diff.ts'
import type { TestResult } from './run-test.ts'

/**
 * The results as JUnit XML, in the form that CI servers read: a suite for each file, a case for each test.
 * Form: https://github.com/testmoapp/junitxml
 */
export function junitXml(results: readonly TestResult[]): string {
  const files = Map.groupBy(results, ({ place }) => fileOf(place))
  const suites = [...files].map(([file, tests]) => suite(file, tests))
  const counts = attributes({ name: 'refiner-sync test', ...countsOf(results) })
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${counts}>`,
    ...suites,
    '</testsuites>',
    '',
  ].join('\n')
}

function suite(file: string, results: readonly TestResult[]): string {
  const cases = results.map((result) => testCase(file, result))
  return [
    `  <testsuite${attributes({ name: file, ...countsOf(results) })}>`,
    ...cases,
    '  </testsuite>',
  ].join('\n')
}

function testCase(file: string, { name, place, verdict, failures, outcome, durationMs }: TestResult): string {
  const line = /:(\d+):\d+$/.exec(place)?.[1] ?? '1'
  const head = `    <testcase${attributes({ name, classname: file, file, line, time: seconds(durationMs) })}`
  if (verdict === 'passed') return `${head}/>`
  const element = verdict === 'failed' ? 'failure' : 'error'
  const told = failures.flatMap(({ message, differences }) => [
    displayed(message),
    ...lineDiff(differences).map(({ sign, text }) => `  ${sign} ${text}`),
  ])
  const first = attributes({ message: displayed(failures[0]?.message ?? '') })
  const came = outcome.map((one) => `came of the input: ${displayed(one)}`)
  const body = escaped([place, ...told, ...came].join('\n'))
  return `${head}>\n      <${element}${first}>${body}</${element}>\n    </testcase>`
}

function countsOf(results: readonly TestResult[]): Record<string, string> {
  const count = (verdict: TestResult['verdict']) =>
    String(results.filter((result) => result.verdict === verdict).length)
  const duration = results.reduce((sum, { durationMs }) => sum + durationMs, 0)
  return {
    tests: String(results.length),
    failures: count('failed'),
    errors: count('error'),
    skipped: '0',
    time: seconds(duration),
  }
}

function fileOf(place: string): string {
  return place.replace(/:\d+:\d+$/, '')
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3)
}

function attributes(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(value).replaceAll(/[\t\n\r]/g, reference)}"`)
    .join('')
}

/** Characters that XML cannot hold, not even as a reference (https://www.w3.org/TR/xml/#charsets). */
// oxlint-disable-next-line no-control-regex
const NOT_IN_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g

function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(NOT_IN_XML, '\ufffd')
    .replaceAll(/[&<>"']/g, reference)
}

function reference(character: string): string {
  return `&#${character.charCodeAt(0)};`
}
