import { expect, test } from 'bun:test'
import { systemClock } from '../../src/observe/system-clock.ts'

test('what is months away is not done now, and can be cancelled', async () => {
  let rang = 0
  const cancel = systemClock.after(90 * 86_400_000, () => (rang += 1))
  for (let n = 0; n < 5; n += 1) await new Promise<void>((resolve) => systemClock.after(2, resolve))
  expect(rang).toBe(0)
  cancel()
})
