"""What the manifest contributes for files: reader, writer, samples, and the import of DICOM series."""
