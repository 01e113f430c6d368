import type { Case } from '../case.ts'
import { count } from '../compare.ts'
import { runProgram } from '../processes.ts'
import type { MappingResult } from '../programs/mapping.ts'

/** Times the limit, lower is better: by settings alone, with rules, and with plugins. */
export const mapping: Case = {
  name: 'mapping',
  what: 'an interaction becomes messages, on one core',
  against: 'JSON.parse and JSON.stringify of it',
  async run({ seconds }) {
    const { limit, rows } = await runProgram<MappingResult>('mapping', { seconds: seconds / 2 })
    return rows.map(({ name, us }) => ({
      name,
      value: us / limit,
      unit: '×',
      aim: null,
      spread: 0,
      raw: `${us.toFixed(1)} µs against ${limit.toFixed(1)} µs: ${count(1e6 / us)}/s`,
    }))
  },
}
