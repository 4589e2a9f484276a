"""The local stand-in for AWS: emulator, deployment, mail out and in, one gateway in front."""
