import { parsePublicUrl } from '../config/endpoint.ts'
import type { Palette } from '../demo/palette.ts'
import { systemClock } from '../observe/system-clock.ts'
import { probeAll } from '../online/check-online.ts'
import type { Probed } from '../online/probe.ts'
import type { LoadedProject } from '../project.ts'
import { displayed } from '../testing/displayed.ts'
import { paletteOf } from './colours.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'
import { fail } from './with-daemon.ts'

/** Tries keys, destinations and the public URL of a configuration that is right; fails when one of them fails. */
export async function checkOnline(
  { json, url }: { readonly json: boolean; readonly url: string | undefined },
  { configuration, warnings }: Pick<LoadedProject, 'configuration' | 'warnings'>,
  context: CommandContext,
): Promise<ExitCode> {
  const given = url === undefined ? null : parsePublicUrl(url)
  if (given !== null && !given.ok) return fail(`--url ${given.problem}; ${given.hint}`, { json }, context)
  const stopping = new AbortController()
  void context.stopped.then(() => stopping.abort())
  const probed = await probeAll(configuration, given?.url ?? configuration.server.publicUrl, {
    fetch,
    clock: systemClock,
    timeoutMs: configuration.delivery.timeoutMs,
    signal: stopping.signal,
  })
  const ok = probed.every(({ status }) => status !== 'failed')
  if (json) context.print(JSON.stringify({ ok, mistakes: [], warnings, online: probed }, null, 2))
  else for (const line of describe(probed, paletteOf(context))) context.print(displayed(line))
  return ok ? EXIT.ok : EXIT.failure
}

function describe(probed: readonly Probed[], palette: Palette): string[] {
  const marks = { ok: palette.good('✓'), failed: palette.bad('✗'), unknown: palette.quiet('?') }
  return probed.flatMap(({ tenant, what, status, said, advice }) => [
    `  ${marks[status]} ${tenant === null ? '' : `${tenant}, `}${what}: ${said}`,
    ...(advice === null ? [] : [`      → ${advice}`]),
  ])
}
