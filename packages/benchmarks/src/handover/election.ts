/** The election of the handover benchmark's processes. */
export const subspaceName = "handover"
