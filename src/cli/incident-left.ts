/** The command ends before an incident that is recorded is known to be true everywhere. */
export class IncidentLeft extends Error {
  override readonly name = 'IncidentLeft'
  readonly incidentId: string

  constructor(incidentId: string, options: ErrorOptions) {
    super('The incident is recorded and not known to be true everywhere', options)
    this.incidentId = incidentId
  }
}
