"""Pictures of finished faces: those that are drawn while somebody waits, and those that workers make."""
