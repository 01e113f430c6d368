import { describe, expect, test } from 'bun:test'
import { call, transforming, workshop } from './support.ts'

const shop = workshop()
const MB = 1024 * 1024

describe('a call', () => {
  test('gets the interaction, the messages and its context', async () => {
    const run = await shop.plugin(
      transforming(
        "return [{ type: 'track', interaction, messages, tenant: context.tenant, options: context.options, env: context.env, body: context.body() }]",
      ),
      { options: { deep: { list: [1] } }, permissions: { env: new Map([['REGION', 'eu-1']]) } },
    )
    const result = await run()
    if (result.kind !== 'messages') throw new Error(result.reason)
    expect(JSON.parse(result.messages)).toEqual([
      {
        type: 'track',
        interaction: JSON.parse(call.interaction),
        messages: JSON.parse(call.messages),
        tenant: 'acme',
        options: { deep: { list: [1] } },
        env: { REGION: 'eu-1' },
        body: JSON.parse(call.body),
      },
    ])
  })

  test('cannot change its options for the next one', async () => {
    const run = await shop.plugin(
      transforming(`
        try { context.options.list.push(2) } catch {}
        try { context.options.more = 1 } catch {}
        try { context.env.MORE = 1 } catch {}
        return [context.options, context.env]`),
      { options: { list: [1] } },
    )
    for (const _ of [1, 2]) expect(await run()).toEqual({ kind: 'messages', messages: '[{"list":[1]},{}]' })
  })

  test('may skip, with a reason or without', async () => {
    const run = await shop.plugin(
      transforming("return context.tenant === 'acme' ? context.skip('an internal survey') : null"),
    )
    expect(await run('acme')).toEqual({ kind: 'skipped', reason: 'an internal survey' })
    expect(await run('other')).toEqual({ kind: 'skipped', reason: 'plugin test returned null' })
  })

  test('may wait for promises of its own', async () => {
    const run = await shop.plugin(
      transforming('return Promise.all([1, 2].map(async (n) => { await null; return n }))'),
    )
    expect(await run()).toEqual({ kind: 'messages', messages: '[1,2]' })
  })

  test('may be a method that uses its object', async () => {
    const run = await shop.plugin(
      "class P { name = 'p'; #n = 0; transform() { return [(this.#n += 1)] } }\nexport default new P()\n",
    )
    expect(await run()).toEqual({ kind: 'messages', messages: '[1]' })
  })

  test('of a batch has its result in its place, whatever came before', async () => {
    const host = await shop.host(
      shop.settings(
        'test',
        shop.write(
          'test.ts',
          transforming(
            "if (interaction.n === 1) throw new TypeError('one'); if (interaction.n === 2) while (true) {}; return interaction.n === 3 ? null : [interaction.n]",
          ),
        ),
      ),
    )
    const calls = [0, 1, 2, 3, 4].map((n) => ({ ...call, interaction: `{"n":${n}}` }))
    const results = await host.call('test', 'acme', calls)
    expect(results.map(({ kind }) => kind)).toEqual(['messages', 'failed', 'failed', 'skipped', 'messages'])
    expect(results[4]).toEqual({ kind: 'messages', messages: '[4]' })
    expect(await host.call('test', 'acme', [])).toEqual([])
    expect(await host.call('other', 'acme', [call])).toEqual([
      { kind: 'failed', reason: 'there is no plugin other', detail: null },
    ])
  })

  test('is told where it failed, in the file that it imports too', async () => {
    const file = shop.write(
      'lib/part.ts',
      'interface Shape {\n  a: string\n}\n\nexport function part(shape: Shape | null): string {\n  return shape!.a\n}\n',
    )
    const run = await shop.plugin(
      `import { part } from './lib/part.ts'\n${transforming('return [part(null)]')}`,
    )
    const result = await run()
    expect(result).toMatchObject({ kind: 'failed', detail: "TypeError: cannot read property 'a' of null" })
    if (result.kind === 'failed') expect(result.reason).toMatch(new RegExp(`^TypeError at ${file}:6:\\d+$`))
  })

  test('keeps what it was given out of the reason', async () => {
    const run = await shop.plugin(
      transforming(
        "throw new Error(`no ${interaction.answers.NPS} ${context.env.TOKEN} ` + 'x'.repeat(1000))",
      ),
      { permissions: { env: new Map([['TOKEN', 'sekret-value']]) } },
    )
    const result = await run()
    if (result.kind !== 'failed') throw new Error(result.kind)
    expect(result.reason).not.toContain('no 9')
    expect(result.detail).toStartWith('Error: no 9 [TOKEN] x')
    expect(result.detail).toHaveLength(500)
  })
})

describe('nothing is shared:', () => {
  test('a tenant does not see what another left in the module', async () => {
    const run = await shop.plugin(
      transforming('seen.push(context.tenant); return seen', 'const seen: string[] = []'),
    )
    expect(await run('acme')).toEqual({ kind: 'messages', messages: '["acme"]' })
    expect(await run('other')).toEqual({ kind: 'messages', messages: '["other"]' })
    expect(await run('acme')).toEqual({ kind: 'messages', messages: '["acme","acme"]' })
  })

  test('a failed call leaves nothing for the next one', async () => {
    const run = await shop.plugin(
      transforming("n += 1; if (n === 2) throw new Error('two'); return [n]", 'let n = 0'),
    )
    expect(await run()).toMatchObject({ messages: '[1]' })
    expect(await run()).toMatchObject({ kind: 'failed' })
    expect(await run()).toMatchObject({ messages: '[1]' })
  })

  test('what a plugin does to built-in objects stays in its sandbox', async () => {
    const pollute = `
      (Object.prototype as any).polluted = 'yes'
      ;(Array.prototype as any).map = () => ['hijacked']
      ;(JSON as any).parse = () => ({ forged: true })
      ;(JSON as any).stringify = () => '"forged"'
      ;(Promise as any).prototype.then = () => { throw new Error('then') }
      ;(globalThis as any).Promise = class {}
      ;(Reflect as any).apply = () => 'forged'
      ;(Array as any).isArray = () => true
      ;(Array.prototype as any)[Symbol.iterator] = undefined
      ;(Function.prototype as any).call = () => 'forged'`
    const polluter = shop.write('a.ts', transforming('return [1]', pollute))
    const other = shop.write('b.ts', transforming('return [typeof ({} as any).polluted, [1].map(String)[0]]'))
    const host = await shop.host(shop.settings('a', polluter), shop.settings('b', other))
    await host.call('a', 'acme', [call, call])
    expect(await host.call('b', 'acme', [call])).toEqual([
      { kind: 'messages', messages: '["undefined","1"]' },
    ])
    expect('polluted' in {}).toBe(false)
    expect([1].map(String)).toEqual(['1'])
  })

  test('what is replaced before a call does not forge its result', async () => {
    const run = await shop.plugin(
      transforming(
        `(JSON as any).stringify = () => 'not JSON'; (Array as any).isArray = () => true; return { not: 'a list' }`,
      ),
    )
    expect(await run()).toMatchObject({
      kind: 'failed',
      reason: 'returned an object; it must return a list of messages, or null',
    })
  })
})

describe('limits:', () => {
  test('memory counts what is kept from call to call', async () => {
    const run = await shop.plugin(
      transforming(
        "kept.push('x'.repeat(300_000) + kept.length); return [kept.length]",
        'const kept: string[] = []',
      ),
      {
        memoryBytes: 8 * MB,
        timeoutMs: 1000,
      },
    )
    let last = await run()
    for (let n = 0; n < 60 && last.kind === 'messages'; n += 1) last = await run()
    expect(last).toMatchObject({ kind: 'failed', reason: 'used more than 8MB of memory' })
    expect(await run()).toEqual({ kind: 'messages', messages: '[1]' })
  })

  test('an interaction that does not fit into the memory fails', async () => {
    const run = await shop.plugin(transforming('return [1]'), { memoryBytes: 2 * MB, timeoutMs: 1000 })
    const large = { ...call, interaction: JSON.stringify({ text: 'x'.repeat(3 * MB) }) }
    expect(await run('acme', large)).toMatchObject({ kind: 'failed', reason: 'used more than 2MB of memory' })
    expect(await run()).toEqual({ kind: 'messages', messages: '[1]' })
  })

  test('a sandbox too small for any plugin is told when it is loaded', async () => {
    const problems = await shop.problems(transforming('return [1]'), { memoryBytes: 1024 })
    expect(problems).toMatchObject([{ code: 'plugin_load_failed' }])
  })
})

describe('messages and the interaction, which are read as they are asked for,', () => {
  const seen = async (body: string): Promise<unknown> => {
    const run = await shop.plugin(transforming(body))
    const result = await run()
    return result.kind === 'messages' ? (JSON.parse(result.messages) as unknown) : result
  }
  const given = { type: 'track', event: 'Survey Completed', properties: { score: 9 } }

  test.each<[string, string, unknown[]]>([
    ['left alone', 'return messages', [given]],
    ['left out', 'return []', []],
    ['looked at', 'JSON.stringify(messages); return messages', [given]],
    ['spread', 'return messages.map((m) => ({ ...m, event: "x" }))', [{ ...given, event: 'x' }]],
    [
      'changed deep within',
      'messages[0].properties.score = 1; return messages',
      [{ ...given, properties: { score: 1 } }],
    ],
    ['given new fields', 'messages[0].more = [1]; return messages', [{ ...given, more: [1] }]],
    [
      'without a field',
      'delete messages[0].properties; return messages',
      [{ type: 'track', event: 'Survey Completed' }],
    ],
    [
      'without a field that is set again',
      'delete messages[0].event; messages[0].event = "y"; return messages',
      [{ ...given, event: 'y' }],
    ],
    [
      'with a field that is undefined',
      'messages[0].event = undefined; return messages',
      [{ type: 'track', properties: { score: 9 } }],
    ],
    [
      'twice in the list',
      'messages[0].event = "z"; return [messages[0], messages[0]]',
      [
        { ...given, event: 'z' },
        { ...given, event: 'z' },
      ],
    ],
    [
      'within another',
      'return [{ type: "track", properties: { inner: messages[0] } }]',
      [{ type: 'track', properties: { inner: given } }],
    ],
    [
      'with a name of control characters',
      'messages[0]["a\\x1db"] = 1; return messages',
      [{ ...given, 'a\x1db': 1 }],
    ],
    [
      'asked for their names',
      'return [{ names: Object.keys(messages[0]), has: "event" in messages[0], not: "nothing" in messages[0] }]',
      [{ names: ['type', 'event', 'properties'], has: true, not: false }],
    ],
    [
      'defined',
      'Object.defineProperty(messages[0], "event", { value: "d" }); return messages',
      [{ ...given, event: 'd' }],
    ],
    ['assigned to', 'return [Object.assign(messages[0], { event: "s" })]', [{ ...given, event: 's' }]],
    [
      'the interaction',
      'return [{ kind: interaction.kind, answers: interaction.answers, all: { ...interaction } }]',
      [{ kind: 'completed', answers: { NPS: '9' }, all: { kind: 'completed', answers: { NPS: '9' } } }],
    ],
    [
      'as any object',
      'return [{ plain: Object.getPrototypeOf(messages[0]) === Object.prototype, text: String(messages[0]), own: messages[0].hasOwnProperty("type") }]',
      [{ plain: true, text: '[object Object]', own: true }],
    ],
  ])('%s', async (_, body, expected) => {
    expect(await seen(body)).toEqual(expected)
  })

  test('kept from an earlier call stay what they were', async () => {
    const run = await shop.plugin(
      transforming(
        'const old = kept; kept = messages[0]; return old === undefined ? messages : [old]',
        'let kept: any',
      ),
    )
    await run()
    const other = { ...call, messages: '[{"type":"identify","traits":{}}]' }
    expect(await run('acme', other)).toEqual({ kind: 'messages', messages: JSON.stringify([given]) })
  })
})
