import { describe, expect, test } from 'bun:test'
import { call, transforming, workshop } from './support.ts'

const shop = workshop()

const batch = (count: number, interaction: string) =>
  Array.from({ length: count }, () => ({ ...call, interaction }))

test('a tenant whose calls hang does not hold up another, nor the main thread', async () => {
  const source = transforming('if (interaction.hang) while (true) {}; return [1]')
  const host = await shop.host(shop.settings('test', shop.write('test.ts', source), { timeoutMs: 50 }))
  using server = Bun.serve({ port: 0, fetch: () => new Response('ok') })
  let hung = false
  const hanging = host.call('test', 'slow', batch(20, '{"hang":true}')).finally(() => {
    hung = true
  })
  expect(await host.call('test', 'quick', batch(5, '{}'))).toHaveLength(5)
  expect(await (await fetch(server.url)).text()).toBe('ok')
  expect(hung).toBe(false)
  const results = await hanging
  expect(results).toHaveLength(20)
  expect(new Set(results.map((result) => result.kind === 'failed' && result.reason))).toEqual(
    new Set(['took longer than 50ms']),
  )
})

test('many tenants with many calls each get all of their results, in order', async () => {
  const source = transforming('return [context.tenant, interaction.n]')
  const host = await shop.host(shop.settings('test', shop.write('test.ts', source), { timeoutMs: 5000 }))
  const tenants = ['a', 'b', 'c', 'd']
  const calls = Array.from({ length: 300 }, (_, n) => ({ ...call, interaction: `{"n":${n}}` }))
  const all = await Promise.all(tenants.map((tenant) => host.call('test', tenant, calls)))
  for (const [t, results] of all.entries()) {
    expect(results.map((result) => result.kind === 'messages' && result.messages)).toEqual(
      calls.map((_, n) => `["${tenants[t]}",${n}]`),
    )
  }
})

test('when the thread itself hangs, only the call it hung in fails', async () => {
  // The engine cannot be interrupted within some of its own functions.
  const source = transforming(
    'if (interaction.hang) Array.prototype.sort.call({ length: 2 ** 32 }); return [interaction.n ?? 0]',
  )
  const host = await shop.host(shop.settings('test', shop.write('test.ts', source), { timeoutMs: 1000 }))
  await host.call('test', 'slow', batch(1, '{}'))
  const hanging = host.call('test', 'slow', [
    { ...call, interaction: '{"n":1}' },
    { ...call, interaction: '{"hang":true}' },
    { ...call, interaction: '{"n":3}' },
  ])
  const quick = host.call('test', 'quick', batch(3, '{}'))
  expect(await hanging).toEqual([
    { kind: 'messages', messages: '[1]' },
    { kind: 'failed', reason: 'did not respond', detail: null },
    { kind: 'messages', messages: '[3]' },
  ])
  expect(await quick).toEqual(batch(3, '').map(() => ({ kind: 'messages', messages: '[0]' })))
})

test('stopping twice does no harm, and calls after it fail', async () => {
  const host = await shop.host(
    shop.settings('test', shop.write('test.ts', transforming('return []'))),
    shop.settings('trusted', shop.write('trusted.ts', transforming('return []')), { trusted: true }),
  )
  host.stop()
  host.stop()
  for (const name of ['test', 'trusted']) {
    expect(await host.call(name, 'acme', [call])).toMatchObject([{ kind: 'failed' }])
  }
})

describe('a trusted plugin', () => {
  const trusted = { trusted: true }

  test('has the files beside it, the environment and the clock', async () => {
    shop.write('data.txt', 'from the file')
    const run = await shop.plugin(
      `import { readFileSync } from 'node:fs'\nimport { join } from 'node:path'\n${transforming(
        "return [readFileSync(join(import.meta.dir, 'data.txt'), 'utf8'), typeof process.env.PATH, typeof Date.now(), context.env, context.options, context.body().uuid]",
      )}`,
      { ...trusted, options: { a: 1 }, permissions: { env: new Map([['TOKEN', 'sekret-value']]) } },
    )
    expect(await run()).toEqual({
      kind: 'messages',
      messages: '["from the file","string","number",{"TOKEN":"sekret-value"},{"a":1},"r-1"]',
    })
  })

  test('may skip, and may wait', async () => {
    const run = await shop.plugin(
      transforming(
        "return Bun.sleep(1).then(() => context.tenant === 'acme' ? context.skip('later') : messages)",
        'declare const Bun: any',
      ),
      trusted,
    )
    expect(await run()).toEqual({ kind: 'skipped', reason: 'later' })
    expect(await run('other')).toEqual({ kind: 'messages', messages: call.messages })
  })

  const fatal: [name: string, body: string, reason: string | RegExp][] = [
    ['hangs', 'while (true) {}', 'took longer than 500ms'],
    ['never settles', 'return new Promise(() => {})', 'took longer than 500ms'],
    ['ends its process', 'process.exit(3)', 'ended its thread'],
    [
      'throws where nobody waits',
      "setTimeout(() => { throw new TypeError('x') }); return new Promise(() => {})",
      /^TypeError at .+test\.ts:6:\d+$/,
    ],
    [
      'rejects where nobody waits',
      "Promise.reject(new RangeError('x')); return new Promise(() => {})",
      /^RangeError at .+test\.ts:6:\d+$/,
    ],
    ['throws', "throw new TypeError('x')", /^TypeError at .+test\.ts:6:\d+$/],
    ['rejects', "return Promise.reject(new TypeError('x'))", /^TypeError at .+test\.ts:6:\d+$/],
    ['returns nothing', '', 'returned undefined; it must return a list of messages, or null'],
    ['returns itself', 'const a: any[] = []; a.push(a); return a', 'returned what JSON cannot hold'],
  ]
  test.each(fatal)('that %s fails this call, and answers the next one', async (_name, body, reason) => {
    const source = transforming(`if (!interaction.fine) { ${body} } else return [1]`)
    const host = await shop.host(
      shop.settings('test', shop.write('test.ts', source), { ...trusted, timeoutMs: 500 }),
    )
    const results = await host.call('test', 'acme', [call, { ...call, interaction: '{"fine":true}' }])
    const [failed] = results
    if (failed?.kind !== 'failed') throw new Error(`the call is ${failed?.kind}`)
    if (typeof reason === 'string') expect(failed.reason).toBe(reason)
    else expect(failed.reason).toMatch(reason)
    expect(results[1]).toEqual({ kind: 'messages', messages: '[1]' })
  })

  test('that hangs holds up neither another plugin nor another tenant for long', async () => {
    const source = transforming('if (interaction.hang) while (true) {}; return [1]')
    const host = await shop.host(
      shop.settings('test', shop.write('test.ts', source), { ...trusted, timeoutMs: 500 }),
      shop.settings('other', shop.write('other.ts', transforming('return [2]'))),
    )
    let hung = false
    const hanging = host.call('test', 'slow', batch(4, '{"hang":true}')).finally(() => {
      hung = true
    })
    expect(await host.call('other', 'acme', [call])).toMatchObject([{ messages: '[2]' }])
    expect(await host.call('test', 'quick', [{ ...call, interaction: '{}' }])).toMatchObject([
      { messages: '[1]' },
    ])
    expect(hung).toBe(false)
    expect(await hanging).toHaveLength(4)
  })
})
