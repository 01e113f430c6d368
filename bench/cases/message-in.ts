import type { Case } from '../case.ts'
import { compare, count } from '../compare.ts'
import { bareSpeed, intakeSpeed } from '../intake-speed.ts'

/** Each request carries one message, and is answered when that is on the disk. */
export const messageIn: Case = {
  name: 'message-in',
  what: 'single Segment message (0.5 KB) in, durable, 64 connections',
  against: 'bare Bun.serve that parses the same body',
  async run({ seconds, program }) {
    const { ours, limit, ratio, spread } = await compare(3, {
      limit: () => bareSpeed('message', seconds),
      ours: () => intakeSpeed(program, 'message', seconds),
    })
    const raw = `${count(ours)}/s against ${count(limit)}/s`
    return [{ name: 'ratio', value: ratio, unit: '×', aim: { atLeast: 0.45 }, spread, raw }]
  },
}
