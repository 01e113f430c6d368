import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { formatMistake } from '../../src/config/mistake.ts'
import { read } from './marked-file.ts'

const WORD_SIGNS = fc.constantFrom(...Array.from('abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'))
/** Every sign that YAML or a reference gives a meaning, and some beyond ASCII. */
const ODD_SIGNS = fc.constantFrom(...Array.from('#:{}[],&*!|>\'"%@`-_=+/\\$.?<^~();äλ'))

/** Long enough that no part turns up by chance: a token of letters and digits, or anything. */
const secrets = fc
  .oneof(
    fc.array(WORD_SIGNS, { minLength: 20, maxLength: 40 }),
    fc.array(fc.oneof({ weight: 3, arbitrary: WORD_SIGNS }, { weight: 1, arbitrary: ODD_SIGNS }), {
      minLength: 20,
      maxLength: 40,
    }),
  )
  // Names of references are told on purpose.
  .map((signs) => `${signs.join('').replaceAll('${', '$')}7x9`)

/** The settings that hold a secret, as the path of their keys. */
const places = fc.constantFrom(
  ['server', 'admin_token'],
  ['tenants', 'acme', 'refiner', 'api_key'],
  ['tenants', 'acme', 'refiner', 'webhook', 'secret'],
  ['tenants', 'acme', 'segment', 'write_key'],
  ['tenants', 'acme', 'segment', 'shared_secret'],
  ['tenants', 'acme', 'segment', 'destination_keys'],
)

/** What may stand in the line of a setting, right or wrong. */
const BREAKAGES: Readonly<Record<string, (key: string, secret: string) => string>> = {
  'no quotes': (key, secret) => `${key}: ${secret}`,
  'single quotes': (key, secret) => `${key}: '${secret}'`,
  'double quotes': (key, secret) => `${key}: "${secret}"`,
  'escaped well': (key, secret) => `${key}: ${JSON.stringify(secret)}`,
  'a slip in the key': (key, secret) => `${key.slice(1)}: ${JSON.stringify(secret)}`,
  'another casing': (key, secret) => `${key.toUpperCase()}: ${JSON.stringify(secret)}`,
  'a key of another program': (_, secret) => `auth: ${JSON.stringify(secret)}`,
  'no space': (key, secret) => `${key}:${secret}`,
  'no colon': (key, secret) => `${key} ${secret}`,
  'an equals sign': (key, secret) => `${key}=${secret}`,
  'no colon, after a value': (key, secret) => `region: us\n          ${key} ${secret}`,
  'no key': (_, secret) => secret,
  'an open double quote': (key, secret) => `${key}: "${secret}`,
  'an open single quote': (key, secret) => `${key}: '${secret}`,
  'text after the quote': (key, secret) => `${key}: "x" ${secret}`,
  'a tab': (key, secret) => `\t${key}: ${secret}`,
  'too deep': (key, secret) => `  ${key}: ${secret}`,
  'an anchor': (key, secret) => `${key}: &${secret}`,
  'an alias': (key, secret) => `${key}: *${secret}`,
  'a tag': (key, secret) => `${key}: !${secret} x`,
  'a block header': (key, secret) => `${key}: |${secret}`,
  'a list': (key, secret) => `${key}: [[${secret}]]`,
  'a list item': (key, secret) => `${key}: - ${secret}`,
  'a mapping': (key, secret) => `${key}: { value: ${secret} }`,
  'a lone word in braces': (key, secret) => `${key}: {${secret}}`,
  'an open brace': (key, secret) => `${key}: { value: ${secret}`,
  'an open reference': (key, secret) => `${key}: ${JSON.stringify(`\${${secret.replaceAll('}', '')}`)}`,
  'a reference with a default': (key, secret) =>
    `${key}: ${JSON.stringify(`\${KEY:-${secret.replaceAll('}', '')}}`)}`,
  'a bad reference beside it': (key, secret) => `${key}: ${JSON.stringify(`${secret}\${NOT_SET}`)}`,
  twice: (key, secret) => `${key}: ${JSON.stringify(secret)}, ${key}: ${JSON.stringify(secret)}`,
  'a comment': (key, secret) => `${key}: 7 # was ${secret}`,
  'beside a reference without quotes': (key, secret) =>
    `${key}: { value: ${secret}\${KEY}${secret}, other: \${KEY}, last: ${secret} }`,
  'from the environment': (key) => `${key}: "\${SECRET} "`,
  'a line break': (key, secret) => `${key}: ${JSON.stringify(`${secret}\n`)}`,
}

/** Writes the setting into a file, each mapping on its own lines or all in braces, with a mistake beside it. */
function fileWith(path: readonly string[], line: string, style: 'lines' | 'braces'): string {
  const parents = path.slice(0, -1)
  if (style === 'braces') {
    const open = parents.slice(1).map((key) => `{ ${key}: `)
    return `${parents[0]}: ${open.join('')}{ ${line}, regoin: us }${' }'.repeat(open.length)}\n`
  }
  const indent = (depth: number) => '  '.repeat(depth)
  const opened = parents.map((key, depth) => `${indent(depth)}${key}:\n`).join('')
  return `${opened}${indent(parents.length)}${line}\n${indent(parents.length)}region: nowhere\n`
}

/** Everything a user may come to see of a text. */
function output(text: string, environment: Record<string, string>): string {
  const loaded = read(text, environment)
  const all = [...(loaded.ok ? [] : loaded.mistakes), ...loaded.warnings]
  return all.map((mistake) => `${formatMistake(mistake)}\n${JSON.stringify(mistake)}`).join('\n')
}

/** A part of the secret that is in the output; whole secrets only would miss one that is cut in two. */
function leaked(secret: string, shown: string): string | undefined {
  const parts = Array.from({ length: secret.length - 7 }, (_, at) => secret.slice(at, at + 8))
  return parts.find((part) => shown.includes(part) || shown.includes(JSON.stringify(part).slice(1, -1)))
}

/** A file whose only tenant has a rule of one setting. */
function rule(setting: string): string {
  return `tenants: { acme: { to_segment: { mapping: [{ ${setting} }] } } }`
}

describe('no message shows any part of a secret', () => {
  test.each(Object.entries(BREAKAGES))('%s', (_, breakage) => {
    fc.assert(
      fc.property(secrets, places, fc.constantFrom('lines', 'braces'), (secret, path, style) => {
        const shown = output(fileWith(path, breakage(path.at(-1)!, secret), style), { SECRET: secret })
        expect(shown).not.toBe('')
        expect(leaked(secret, shown)).toBeUndefined()
      }),
      { numRuns: 150 },
    )
  })

  test.each([
    ['a port', 'server: { port: "${SECRET}" }'],
    ['a host beside a mistake', 'server: { host: "${SECRET}", port: x }'],
    ['a size', 'server: { max_body: "${SECRET}" }'],
    ['a duration', 'delivery: { timeout: "${SECRET}" }'],
    ['the database', 'database: "${SECRET}"'],
    ['the path of the database', 'database: "sqlite:///dev/null/${SECRET}"'],
    ['a mapping', 'server: "${SECRET}"'],
    ['tenants', 'tenants: "${SECRET}"'],
    ['an endpoint', 'tenants: { acme: { segment: { endpoint: "${SECRET}" } } }'],
    ['a choice', 'tenants: { acme: { segment: { region: "${SECRET}" } } }'],
    ['the path of a plugin', 'plugins: { nps: { path: "${SECRET}" } }'],
    ['a variable of a plugin', 'plugins: { nps: { path: x, permissions: { env: ["${SECRET}"] } } }'],
    ['a host of a plugin', 'plugins: { nps: { path: x, permissions: { net: ["${SECRET} "] } } }'],
    ['the name of a plugin', 'tenants: { acme: { to_segment: { plugins: ["${SECRET}", "${SECRET}"] } } }'],
    ['a preset', 'tenants: { acme: { to_segment: { preset: "${SECRET}" } } }'],
    ['a condition', rule('when: "${SECRET}"')],
    ['a variable of a condition', rule('when: "answers.${SECRET} == ${SECRET}"')],
    ['an event name', rule('event: "{{ ${SECRET} }} {{"')],
    ['a trait', rule('traits: { x: "int(\'${SECRET}" }')],
    ['all traits', rule('traits: "${SECRET}"')],
    ['a cast', rule('cast: { x: "${SECRET}" }')],
    [
      'the name of a rule',
      'tenants: { acme: { to_segment: { mapping: [{ name: "${SECRET}", stop: true }, { name: "${SECRET}", when: "false", drop: [a] }] } } }',
    ],
    ['the tenant of a test', 'tests: [{ name: x, tenant: "${SECRET}", input: { a: 1 }, expect: [] }]'],
    ['the file of a test', 'tests: [{ name: x, input: { file: "${SECRET}" }, expect: [] }]'],
    [
      'the name of a header',
      'tenants: { acme: { refiner: { webhook: { secret: x, in: header, name: "${SECRET} x" } } } }',
    ],
  ])('from the environment where none belongs: %s', (_, text) => {
    fc.assert(
      fc.property(secrets, (secret) => {
        expect(leaked(secret, output(text, { SECRET: secret }))).toBeUndefined()
      }),
    )
  })

  test.each([
    [
      'an option of a plugin',
      (secret: string) => `plugins: { nps: { path: x, options: { token: ${secret} } } }`,
    ],
    ['an input', (secret: string) => `tests: [{ name: 1, input: { email: ${secret} }, expect: [] }]`],
    ['the body of an input', (secret: string) => `tests: [{ name: 1, input: { body: { a: [${secret}] } } }]`],
    [
      'a message',
      (secret: string) => `tests: [{ name: 1, input: { a: 1 }, expect: [{ userId: ${secret} }] }]`,
    ],
  ])('in the line of a mistake: %s', (_, textWith) => {
    fc.assert(
      fc.property(secrets, (secret) => {
        const shown = output(textWith(JSON.stringify(secret)), {})
        expect(shown).not.toBe('')
        expect(leaked(secret, shown)).toBeUndefined()
      }),
    )
  })

  test('below an expression whose quote is closed only after it', () => {
    fc.assert(
      fc.property(secrets, fc.constantFrom('"', "'"), (secret, quote) => {
        const key = secret.replaceAll(/[^a-zA-Z0-9]/g, '')
        const text = `tenants: { acme: { to_segment: { mapping: [{ drop: [a], when: ${quote}answers.x ==
    write_key: ${key},
    region: ${quote} }] } } }
`
        const shown = output(text, {})
        expect(shown).toContain('expression_syntax')
        expect(leaked(key, shown)).toBeUndefined()
      }),
    )
  })

  test('a password in a URL', () => {
    fc.assert(
      fc.property(secrets, fc.constantFrom('segment', 'refiner'), (secret, side) => {
        const url = JSON.stringify(`https://me:${secret}@example.com`)
        const text = `tenants: { acme: { ${side}: { endpoint: ${url} } } }\ndatabase: ${url}\n`
        expect(leaked(secret, output(text, {}))).toBeUndefined()
      }),
    )
  })

  test('a destination key of two tenants', () => {
    fc.assert(
      fc.property(secrets, (secret) => {
        const key = JSON.stringify(secret.replaceAll(/[^a-zA-Z0-9]/g, ''))
        const tenant = `{ segment: { destination_keys: [${key}, ${key}] } }`
        const shown = output(`tenants: { one: ${tenant}, two: ${tenant} }`, {})
        expect(shown).toContain('duplicate_destination_key')
        expect(leaked(JSON.parse(key), shown)).toBeUndefined()
      }),
    )
  })
})

test('the rest of a secret that YAML takes for a key is not named', () => {
  const shown = output(
    'tenants: { acme: { segment: { region: us\n write_key KJHGFDSA,tail-of-it: x } } }',
    {},
  )
  expect(shown).toContain('unknown key in `tenants.acme.segment`, not shown')
  expect(shown).not.toContain('tail-of-it')
})

test('what is harmless stays in sight: keys, choices and the names of references', () => {
  const shown = output('tenants: { acme: { segment: { write_key: "${NOT_SET}", region: nowhere } } }', {})
  expect(shown).toContain('| tenants: { acme: { segment: { write_key: "${NOT_SET}", region: nowhere } } }\n')
})
