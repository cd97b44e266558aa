"""Writes the CloudFormation template that SAM makes of template.yaml.

`sam validate --lint` looks at the SAM template only, where resources that wait
for each other cannot be seen. AWS would refuse them at the first deployment;
cfn-lint finds them in what is written here.

usage: transform.py TEMPLATE TRANSFORMED
"""

import json
import sys

from cfnlint.decode import cfn_yaml
from samtranslator.translator.transform import transform


class NoManagedPolicies:
    """The roles here have policies of their own: AWS need not be asked."""

    def load(self):
        return {}


def main(source, target):
    template = cfn_yaml.load(source)
    for resource in template["Resources"].values():
        for uri in ("CodeUri", "ContentUri"):
            # What `sam deploy` would have uploaded.
            if uri in resource.get("Properties", {}):
                resource["Properties"][uri] = "s3://artefacts/artefact"
    with open(target, "w", encoding="utf-8") as out:
        json.dump(transform(template, {}, NoManagedPolicies()), out, indent=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
