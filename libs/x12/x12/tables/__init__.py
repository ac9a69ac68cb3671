"""What X12 5010 says, as rows: data elements, segments, guides."""
