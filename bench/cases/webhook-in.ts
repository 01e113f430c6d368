import type { Case } from '../case.ts'
import { compare, count } from '../compare.ts'
import { bareSpeed, intakeSpeed } from '../intake-speed.ts'

/** Each request carries one completed survey, and is answered when that is on the disk. */
export const webhookIn: Case = {
  name: 'webhook-in',
  what: 'Refiner webhook (2 KB) in, durable, 64 connections',
  against: 'bare Bun.serve that parses the same body',
  async run({ seconds, program }) {
    const { ours, limit, ratio, spread } = await compare(3, {
      limit: () => bareSpeed('webhook', seconds),
      ours: () => intakeSpeed(program, 'webhook', seconds),
    })
    const raw = `${count(ours)}/s against ${count(limit)}/s`
    return [{ name: 'ratio', value: ratio, unit: '×', aim: { atLeast: 0.35 }, spread, raw }]
  },
}
