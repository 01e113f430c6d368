import type { Cause } from '../finding.ts'

/** The file was changed, and the daemon runs on what was there before. */
export const configurationNotInForce: Cause = {
  name: 'configuration_not_in_force',
  looksAt: 'whether the configuration in force is that of the file',
  find({ health: { configuration } }) {
    const { status, loaded_at, mistakes, first_mistake, needs_restart } = configuration
    const certain = { tenant: null, likelihood: 'certain' as const }
    const findings = []
    if (status === 'rejected') {
      findings.push({
        ...certain,
        problem: 'the configuration was changed and is wrong: what was loaded before stays in force',
        evidence: [
          `in force is what was loaded at ${loaded_at}`,
          first_mistake === null
            ? 'the log says why reading it failed'
            : `${first_mistake.file}:${first_mistake.line}:${first_mistake.column}: ${first_mistake.message}${mistakes > 1 ? ` (and ${mistakes - 1} more)` : ''}`,
        ],
        advice: [
          '`refiner-sync check` names every mistake with its line; once it is right, it is loaded by itself',
        ],
      })
    }
    if (needs_restart.length > 0) {
      findings.push({
        ...certain,
        problem: `${needs_restart.join(', ')} of the file is not in force: only a restart changes it`,
        evidence: [`in force is what was loaded at ${loaded_at}, but for this`],
        advice: ['restart the daemon: nothing that was acknowledged is lost'],
      })
    }
    return findings
  },
}
