import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { JsonValue } from '../../src/contracts/json.ts'
import { displayed, displayedJson } from '../../src/testing/displayed.ts'
import { junitXml } from '../../src/testing/junit.ts'
import { lineDiff } from '../../src/testing/line-diff.ts'
import type { TestResult } from '../../src/testing/run-test.ts'

function result(over: Partial<TestResult>): TestResult {
  return {
    name: 'a promoter',
    place: 'config/tests/nps.yaml:3:5',
    tenant: 'acme',
    verdict: 'passed',
    failures: [],
    outcome: [],
    notes: [],
    durationMs: 2,
    ...over,
  }
}

describe('JUnit XML', () => {
  const failed = result({
    name: 'a "b" <c> & \'d\'',
    verdict: 'failed',
    failures: [
      { message: 'it\ndid not come', differences: [{ path: 'a', expected: '<1>', got: '\u001b[31m' }] },
    ],
  })

  test('has a suite for each file and a case for each test', () => {
    const xml = junitXml([
      result({}),
      result({ place: 'refiner-sync.yaml:9:5' }),
      failed,
      result({ verdict: 'error', failures: [{ message: 'cannot read it', differences: [] }] }),
    ])
    expect(xml.match(/<testsuite /g)).toHaveLength(2)
    expect(xml).toContain(
      '<testsuite name="config/tests/nps.yaml" tests="3" failures="1" errors="1" skipped="0" time="0.006">',
    )
    expect(xml).toContain(
      '<testcase name="a promoter" classname="refiner-sync.yaml" file="refiner-sync.yaml" line="9" time="0.002"/>',
    )
    expect(xml).toContain('<error message="cannot read it">')
    expect(xml).toContain('name="a &#34;b&#34; &#60;c&#62; &#38; &#39;d&#39;"')
    expect(xml).toContain('message="it&#10;did not come"')
    expect(xml).toContain('- a: &#34;&#60;1&#62;&#34;')
  })

  test('gives every text back that XML can hold, and is well-formed for those that it cannot', () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 })
    fc.assert(
      fc.property(text, text, (name, message) => {
        const failures = [{ message, differences: [] }]
        const xml = junitXml([result({ name, verdict: 'failed', failures })])
        // oxlint-disable-next-line no-control-regex
        expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/)
        expect(xml.isWellFormed()).toBe(true)
        expect(xml.replaceAll(/&#\d+;/g, '')).not.toContain('&')
        expect(xml.match(/<[^>]*>/g)).toHaveLength(9)
        const shown = /<testcase name="([^"]*)"/.exec(xml)![1]!
        const read = shown.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
        // oxlint-disable-next-line no-control-regex
        const cannotStand = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g
        expect(read).toBe(name.toWellFormed().replaceAll(cannotStand, '\ufffd'))
      }),
    )
  })
})

describe('the line diff', () => {
  test('shows what was expected, then what is there', () => {
    expect(
      lineDiff([
        { path: 'a.b', expected: 9, got: '9' },
        { path: 'c', expected: undefined, got: [1] },
        { path: 'd', expected: 'x', got: undefined },
      ]).map(({ sign, text }) => `${sign} ${text}`),
    ).toEqual(['- a.b: 9', '+ a.b: "9"', '+ c: [1]', '- d: "x"'])
  })

  test('shows long texts where they differ', () => {
    const long = 'x'.repeat(5000)
    const [one, other] = lineDiff([{ path: 'a', expected: `${long}1${long}`, got: `${long}2${long}` }])
    expect(one!.text).toContain('x1x')
    expect(other!.text).toContain('x2x')
    expect(one!.text.length).toBeLessThan(200)
  })

  test('two values that differ never look the same', () => {
    const value = fc.oneof(
      fc.string({ maxLength: 400 }),
      fc.integer(),
      fc.boolean(),
    ) as fc.Arbitrary<JsonValue>
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), value, value, (same, one, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other))
        const lines = lineDiff([{ path: 'a', expected: [same, one], got: [same, other] }])
        expect(lines[0]!.text).not.toBe(lines[1]!.text)
      }),
    )
  })

  test('ends after a page full', () => {
    const many = Array.from({ length: 100 }, (_, index) => ({ path: `a[${index}]`, expected: 1, got: 2 }))
    const lines = lineDiff(many)
    expect(lines).toHaveLength(61)
    expect(lines.at(-1)!.text).toBe('… and 70 more differences')
  })
})

test('nothing that acts on a terminal is shown as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      for (const shown of [displayed(text), displayedJson({ [text]: text })]) {
        // oxlint-disable-next-line no-control-regex
        expect(shown).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
      }
      expect(JSON.parse(displayedJson([text]))).toEqual([text])
    }),
  )
})
