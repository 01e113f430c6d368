import { describe, expect, test } from 'bun:test'
import { type TextResult, transforming, workshop } from './support.ts'

const shop = workshop()

/** How many messages came, or the reason. */
const told = (result: TextResult): string =>
  result.kind === 'messages' ? `messages ${result.messages}` : `${result.kind}: ${result.reason}`

const evil: [name: string, body: string, outcome: string | RegExp][] = [
  ['loops', 'while (true) {}', 'failed: took longer than 100ms'],
  [
    'loops and catches',
    'for (;;) { try { for (;;) {} } catch {} finally { continue } }',
    'failed: took longer than 100ms',
  ],
  [
    'loops in a promise',
    'return (async () => { await 1; while (true) {} })()',
    'failed: took longer than 100ms',
  ],
  [
    'loops again when it was interrupted',
    'const f = async () => { while (true) {} }; return f().catch(() => { while (true) {} })',
    'failed: took longer than 100ms',
  ],
  [
    'makes jobs without end',
    'const f = () => Promise.resolve().then(f); return f()',
    'failed: took longer than 100ms',
  ],
  [
    'leaves a job behind that loops',
    'Promise.resolve().then(() => { while (true) {} }); return []',
    'failed: took longer than 100ms',
  ],
  ['matches without end', "return /^(a+)+$/.test('a'.repeat(40) + 'b')", 'failed: took longer than 100ms'],
  ['never settles', 'return new Promise(() => {})', 'failed: returned a promise that never settles'],
  [
    'hoards',
    "const all = []; for (;;) all.push('x'.repeat(1e6) + all.length)",
    'failed: used more than 32MB of memory',
  ],
  ['wants a huge buffer', 'new ArrayBuffer(1e9)', 'failed: used more than 32MB of memory'],
  ['recurses', 'const f = () => 1 + f(); return f()', /^failed: InternalError at .+:6:\d+$/],
  ['nests JSON deeply', "JSON.parse('['.repeat(1e5))", /^failed: /],
  ['nests code deeply', "eval('('.repeat(1e5))", /^failed: /],
  ['nests its result deeply', 'let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a', /^failed: /],
  ['throws', "throw new TypeError('no')", /^failed: TypeError at .+test\.ts:6:\d+$/],
  [
    'throws a class of its own',
    'class Odd extends Error {}; throw new Odd()',
    /^failed: Odd at .+test\.ts:6:\d+$/,
  ],
  ['rejects', "return Promise.reject(new RangeError('no'))", /^failed: RangeError at .+test\.ts:6:\d+$/],
  ['throws a text', "throw 'user@example.com'", 'failed: threw a value that is no Error (string)'],
  ['throws null', 'throw null', 'failed: threw a value that is no Error (null)'],
  ['throws a symbol', 'throw Symbol("x")', 'failed: threw a value that is no Error (symbol)'],
  [
    'throws an error that traps',
    "throw new Proxy(new Error('x'), { get() { throw new Error('trapped') }, getPrototypeOf() { throw 1 } })",
    'failed: threw a value that is no Error (object)',
  ],
  [
    'throws an error whose parts loop',
    'throw { get name() { while (true) {} } }',
    'failed: took longer than 100ms',
  ],
  [
    'throws an error with a forged name',
    "const e = new Error('x'); e.name = 'user@example.com'; throw e",
    /^failed: Error at .+test\.ts:6:\d+$/,
  ],
  [
    'throws an error with a forged stack',
    "const e = new Error('x'); e.stack = 'at /etc/passwd:1:1 (plugin.js:999999:1) secret'; throw e",
    /^failed: Error( at .+test\.ts:\d+:\d+)?$/,
  ],
  ['returns nothing', '', 'failed: returned undefined; it must return a list of messages, or null'],
  [
    'returns an object',
    'return {}',
    'failed: returned an object; it must return a list of messages, or null',
  ],
  [
    'returns a function',
    'return () => 1',
    'failed: returned a function; it must return a list of messages, or null',
  ],
  ['returns itself', 'const a: any[] = []; a.push(a); return a', 'failed: returned what JSON cannot hold'],
  ['returns a BigInt', 'return [1n]', 'failed: returned what JSON cannot hold'],
  ['returns too much', "return ['x'.repeat(5e6)]", 'failed: returned more than 4 MB of JSON'],
  [
    'returns a list that would write itself otherwise',
    'const a: any = [1]; a.toJSON = () => ({}); return a',
    'messages [1]',
  ],
  ['returns a proxy', 'return new Proxy([1, 2], {})', 'messages [1,2]'],
  ['returns a proxy that traps', "return new Proxy([1], { get() { throw new Error('x') } })", /^failed: /],
  ['returns a promise-like', 'return { then(resolve: any) { resolve([1]) } }', 'messages [1]'],
  [
    'looks for the host',
    'return [typeof fetch, typeof process, typeof Bun, typeof setTimeout, typeof std, typeof os, typeof Worker, typeof SharedArrayBuffer]',
    /^messages \[("undefined",?){8}\]$/,
  ],
  [
    'reaches for the global object',
    "return Object.getOwnPropertyNames(Function('return this')()).filter((n) => /process|Bun|fetch|require|crypto/.test(n))",
    'messages []',
  ],
  [
    'imports by a made up name',
    "return import(['node', 'fs'].join(':')).then(() => ['imported'], () => ['refused'])",
    'messages ["refused"]',
  ],
  [
    'evaluates an import',
    `return eval("import('node:fs')").then(() => ['imported'], () => ['refused'])`,
    'messages ["refused"]',
  ],
  ['speaks to the console', "console.log('x'); console.error('y'); return []", 'messages []'],
  ['yields for ever', 'function* g() { for (;;) yield 1 }\nreturn [...g()]', /^failed: /],
]
describe('a plugin that', () => {
  test.each(evil)('%s', async (_name, body, outcome) => {
    // What is cut off, or may be, costs its time; all else must not be, however busy the machine is.
    const mayBeCutOff = /took longer|\^failed: \/$/.test(String(outcome))
    const timeoutMs = mayBeCutOff ? 100 : 5000
    const run = await shop.plugin(transforming(body), { timeoutMs })
    const result = await run()
    if (typeof outcome === 'string') expect(told(result)).toBe(outcome)
    else expect(told(result)).toMatch(outcome)
    // Whatever it did, the next call is answered.
    expect((await run()).kind).toBe(result.kind)
  })
})
