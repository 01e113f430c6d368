import { readFileSync } from 'node:fs'

/** Memory of a process that is resident now, in MB; read from Linux' /proc. */
export function residentMb(pid: number): number {
  return field(pid, 'VmRSS')
}

/** The most that it ever had. */
export function mostResidentMb(pid: number): number {
  return field(pid, 'VmHWM')
}

function field(pid: number, name: string): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  if (found === null) throw new Error(`/proc/${pid}/status has no ${name}`)
  return Number(found[1]) / 1024
}
