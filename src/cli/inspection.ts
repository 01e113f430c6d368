import type { Contents, Problem } from '../store/verify.ts'
import { counted } from './refused-configuration.ts'

/** What is in a database file, in a line or two. */
export function describeContents(contents: Contents): string[] {
  const { schema, received, unmapped, deliveries, users, responses, newestAt } = contents
  const states = Object.entries(deliveries).map(([state, count]) => `${count} ${state}`)
  const newest = newestAt === null ? '' : `, the newest of ${new Date(newestAt).toISOString()}`
  return [
    `  ${counted(received, 'received item')}, ${unmapped} of them to be mapped${newest}`,
    `  deliveries: ${states.length === 0 ? 'none' : states.join(', ')}`,
    `  ${counted(users, 'user')}, ${counted(responses, 'response')}; tables of ${schema ?? 'no version'}`,
  ]
}

/** What is wrong, and what to do: each advice once, after what it is for. */
export function describeProblems(problems: readonly Problem[]): string[] {
  return problems.flatMap(({ message, advice }, index) => {
    const isLast = problems[index + 1]?.advice !== advice
    return [`  ! ${message}`, ...(isLast ? [`    ${advice}`] : [])]
  })
}

/** Bytes in words, such as 1.4 GB; units are those of `size` in the configuration. */
export function inBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  const unit = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(bytes, 1)) / 10))
  const number = bytes / 1024 ** unit
  return `${unit === 0 || number >= 100 ? Math.round(number) : number.toFixed(1)} ${units[unit]}`
}

/** What went wrong, as text or as JSON, on standard error or output. */
export function failureText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
