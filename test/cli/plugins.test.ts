import { expect, test } from 'bun:test'
import { withResponse } from '../fixtures/refiner-webhook.ts'
import { ACME, commandFolder } from './command.ts'

const PLUGIN = `
export default {
  name: 'score',
  transform(interaction, messages, context) {
    const { nps } = interaction.answers
    if (nps === undefined) return context.skip('there is no score')
    if (nps === '1') throw new Error('no plugin takes a ' + nps)
    return messages.filter(({ type }) => type === 'track').map((message) => ({
      ...message,
      properties: { ...message.properties, score: Number(nps) },
    }))
  },
}
`

const TESTS = `
tests:
  - name: a score becomes a number
    input: { file: nine.json }
    expect: [{ type: track, properties: { score: 9 } }]
  - name: no score
    input: { file: none.json }
    expect_skip: there is no score
  - name: too low
    input: { file: one.json }
    expect_error: no plugin takes a 1
`

function project() {
  return commandFolder({
    'refiner-sync.yaml': `plugins: { score: { path: ./score.js, timeout: 5s } }
${ACME.slice(1)}    to_segment: { plugins: [score] }
${TESTS}`,
    'score.js': PLUGIN,
    'nine.json': withResponse({ data: { nps: '9' } }),
    'none.json': withResponse({ data: {} }),
    'one.json': withResponse({ data: { nps: '1' } }),
  })
}

test('tests go through plugins, and may expect what they say', async () => {
  using folder = project()
  const { code, stdout } = await folder.run(['test'])
  expect(stdout).toContain('3 passed, 0 failed')
  expect(code).toBe(0)
})

test('try shows what a plugin did', async () => {
  using folder = project()
  const { code, stdout } = await folder.run(['try', 'nine.json'])
  const plugins = stdout.slice(stdout.indexOf('\nPlugins\n'), stdout.indexOf('\nWhat would be sent'))
  expect(plugins.trimEnd().split('\n')).toEqual([
    '',
    'Plugins',
    '  ✓ score  applied',
    '      - the message identify is gone',
    '      - the message group is gone',
    '      track, "Completed Survey"',
    '        + properties.score: 9',
  ])
  expect(code).toBe(0)
})

test('try shows where a plugin failed, and what it said', async () => {
  using folder = project()
  const { code, stdout } = await folder.run(['try', 'one.json'])
  expect(stdout).toMatch(/✗ score {2}failed: .*score\.js:7.*no plugin takes a 1/)
  expect(stdout).toMatch(/kept as dead, not sent: .*no plugin takes a 1/)
  expect(code).toBe(1)
})
